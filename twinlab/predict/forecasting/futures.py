"""Inputs that are known ahead: their effect on series, and their values on the cells of a forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import UnknownTermError
from twinlab.model.terms import nearest
from twinlab.predict.protocol.state import State

__all__ = ["Effect", "effect_of", "input_values"]

Floats = NDArray[np.float64]
#: As if the effect had been seen to be 0 in this many cells.
_PENALTY: Final = 1.0


@dataclass(frozen=True)
class Effect:
    """A linear effect of inputs on each series, from the differences of both from a season before: what both share by the season doesn't count.

    Parameters
    ----------
    coefficients : array (asset, input)
    centre : array (asset, input)
        Means of the inputs in the fit.
    """

    coefficients: Floats
    centre: Floats

    @classmethod
    def fit(cls, values: Floats, inputs: Floats, season: int) -> Effect:
        """Fit to values (asset, time) and inputs (input, asset, time) that go on after the values, by ridge regression of each asset."""
        before = inputs[..., : values.shape[1]]
        count = np.maximum((~np.isnan(before)).sum(axis=2), 1)
        centre = np.asarray(np.nansum(before, axis=2) / count, float)
        wanted = values[:, season:] - values[:, :-season]
        x = before[..., season:] - before[..., :-season]
        use = ~(np.isnan(wanted) | np.isnan(x).any(axis=0))
        wanted = np.where(use, wanted, 0.0)
        x = np.where(use, x, 0.0).transpose(1, 2, 0)
        across = x.transpose(0, 2, 1)
        squares = np.einsum("ati,ati->ai", x, x) / np.maximum(use.sum(axis=1), 1)[:, None]
        penalty = _PENALTY * np.where(squares > 0, squares, 1.0)
        normal = across @ x + penalty[:, None, :] * np.eye(len(inputs))
        found = np.linalg.solve(normal, across @ wanted[..., None])[..., 0]
        return cls(np.asarray(found, float), centre.T)

    def of(self, inputs: Floats) -> Floats:
        """Return the effect (asset, time) of inputs (input, asset, time)."""
        return np.asarray(np.einsum("ai,iat->at", self.coefficients, inputs - self.centre.T[..., None]), float)


def effect_of(values: Floats, inputs: Floats) -> Floats:
    """Return the effect (asset, time) of inputs on values (asset, time), from the differences between neighbouring cells."""
    return Effect.fit(values, inputs, 1).of(inputs)[:, : values.shape[1]]


def input_values(state: State, names: Sequence[str], times: NDArray[np.datetime64], ids: Sequence[str]) -> Floats:
    """Return inputs (input, asset, time) at the starts of cells; NaN where they aren't known.

    Raises
    ------
    UnknownTermError
        If the state has no such input.
    """
    known = [] if state.future is None else [str(one) for one in state.future.data_vars]
    out = np.empty((len(names), len(ids), len(times)))
    for place, name in enumerate(names):
        if state.future is None or name not in known:
            msg = (
                f"the future input {name!r} isn't known at {state.issue_time}{nearest(name, known)}; pass it as future=, a Dataset with dims time[, asset] from "
                "the start of training to the horizon, each variable with the attribute 'issued'"
            )
            raise UnknownTermError(msg)
        data = state.future[name].reindex(time=times)
        if "asset" in data.dims:
            out[place] = data.reindex(asset=list(ids)).transpose("asset", "time").values
        else:
            out[place] = data.values
    return out
