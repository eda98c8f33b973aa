"""Baselines that use no feature: the median or the share of training, and a constant such as the schedule or an alarm that is always on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.predictions.schema import predictions
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.parameters import Parameters
from twinlab.predict.protocol.state import State
from twinlab.predict.protocol.summary import Summary
from twinlab.predict.protocol.target import Target

__all__ = ["Climatology", "Constant", "FittedTable"]


@dataclass(frozen=True)
class Climatology(Parameters):
    """Quantiles of each asset's true values in training, or the share of its outcomes; the same at all issue times.

    Parameters
    ----------
    inputs : Inputs
    target : Target
    lead_times : tuple of str
    quantiles : tuple of float
        Of a value; a probability has none.
    train_every : str
        Span between the issue times whose true values count.
    name : str
    """

    inputs: Inputs
    target: Target
    lead_times: tuple[str, ...]
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)
    train_every: str = "1h"
    name: str = "climatology"

    def fit(self, state: State) -> FittedTable:
        """Take the quantiles, or the share, of true values.

        Raises
        ------
        SchemaError
            If no true value is known.
        """
        every = duration(self.train_every, what="train_every")
        count = int(self.inputs.training_ns // every)
        issued = np.sort(state.issue_time - every * np.arange(1, count + 1))
        true = self.target.truth(state, list(issued), self.leads).values
        if bool(np.isnan(true).all()):
            msg = f"no true value of {self.target.name!r} is known in the {self.inputs.training} before {state.issue_time}"
            raise SchemaError(msg)
        if self.target.kind == "probability":
            counts = (~np.isnan(true)).sum(axis=0)
            table = np.nansum(true, axis=0) / np.where(counts > 0, counts, np.nan)
            levels: tuple[float, ...] = ()
        else:
            levels = self.quantiles
            table = np.full((*true.shape[1:], len(levels)), np.nan)
            for lead, asset in np.argwhere(~np.isnan(true).all(axis=0)):
                table[lead, asset] = np.nanquantile(true[:, lead, asset], levels)
        known = issued[~np.isnan(true).all(axis=(1, 2))]
        return FittedTable(self, table, levels, tuple(state.asset_ids), (known[0], state.issue_time))


@dataclass(frozen=True)
class Constant(Parameters):
    """The same number for all: 0 min late is the schedule, probability 1 an alarm that is always on.

    Parameters
    ----------
    inputs : Inputs
    target : Target
    lead_times : tuple of str
    value : float
        In the target's unit.
    name : str
    """

    inputs: Inputs
    target: Target
    lead_times: tuple[str, ...]
    value: float
    name: str = "constant"

    def fit(self, state: State) -> FittedTable:
        """Return the constant for all assets of the state."""
        ids = tuple(state.asset_ids)
        levels = () if self.target.kind == "probability" else (0.5,)
        table = np.full((len(self.lead_times), len(ids), *([1] if levels else [])), self.value)
        times = state.history["time"].values
        return FittedTable(self, table, levels, ids, (times[0] if times.size else state.issue_time, state.issue_time))


@dataclass(frozen=True, repr=False)
class FittedTable(Summary):
    """Numbers by lead time and asset, the same at all issue times."""

    of: Climatology | Constant
    table: NDArray[np.float64]
    levels: tuple[float, ...]
    assets: tuple[str, ...]
    training: tuple[np.datetime64, np.datetime64]

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.of.name

    @property
    def inputs(self) -> Inputs:
        """What `predict` reads."""
        return self.of.inputs

    def content_hash(self) -> str:
        """Hash of parameters and numbers."""
        return hash_of(self.of.content_hash(), self.table, list(self.assets))

    def predict(self, state: State) -> xr.Dataset:
        """Return the numbers; an asset that wasn't in training has none."""
        known = {asset: place for place, asset in enumerate(self.assets)}
        places = np.array([known.get(asset, -1) for asset in state.asset_ids], np.intp)
        values = self.table[:, places]
        values[:, places < 0] = np.nan
        return predictions(
            values,
            state=state,
            fitted=self,
            target=self.of.target.name,
            units=self.of.target.units,
            lead_times=self.of.leads,
            quantiles=self.levels,
            attrs=self.of.target.attrs,
        )

    def update(self, state: State) -> FittedTable:  # noqa: ARG002  (as the protocol has it)
        """Return itself."""
        return self
