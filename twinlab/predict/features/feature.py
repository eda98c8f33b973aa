"""The protocol of a feature, and the checks that it is known at the issue time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.features.cases import Cases
from twinlab.predict.protocol.durations import text_of
from twinlab.predict.protocol.state import LeakError, State

__all__ = ["NONE", "Feature", "check_known", "check_reach", "check_same", "check_serving", "matrix"]

#: No time at all.
NONE = np.timedelta64(0, "ns")
#: Issue times at which `check_serving` computes features again.
_SAMPLES = 20


@runtime_checkable
class Feature(Protocol):
    """A number for each case, with the instant at which it is known."""

    @property
    def name(self) -> str:
        """Name of the column."""

    @property
    def reach(self) -> np.timedelta64:
        """How far before the issue time it reads."""

    def known_after(self, lead_time: np.timedelta64, latency: np.timedelta64) -> np.timedelta64:
        """Return how long after the issue time it is known for a lead time; 0 or less if it is known then.

        ``latency`` is the span after the end of a cell in which it is never known.
        """

    def values(self, state: State, cases: Cases) -> NDArray[np.float64]:
        """Return an array (cases,); NaN where the state has no value. Of a case, only what was known at its issue time is read."""


def check_known(
    features: Sequence[Feature], lead_times: Sequence[np.timedelta64], *, latency: np.timedelta64 = NONE
) -> None:
    """Check that features are known at the issue time, for all lead times.

    Raises
    ------
    LeakError
        If one isn't; names it, the lead time and how much later it is known.
    """
    for feature in features:
        for lead in lead_times:
            late = feature.known_after(lead, latency)
            if late > NONE:
                msg = (
                    f"the feature {feature.name!r} is known {text_of(late)} after the issue time for the lead time {text_of(lead)}; "
                    "use a longer lag, a shorter lead time, or an input that is known ahead"
                )
                raise LeakError(msg)


def check_reach(features: Sequence[Feature], window: np.timedelta64) -> None:
    """Check that a window before the issue time has all that features read.

    Raises
    ------
    SchemaError
        If it is too short: a feature would have another value in use than in training.
    """
    for feature in features:
        if feature.reach > window:
            msg = f"the feature {feature.name!r} reads {text_of(feature.reach)} back, and Inputs.window is {text_of(window)}; make it longer"
            raise SchemaError(msg)


def matrix(features: Sequence[Feature], state: State, cases: Cases) -> NDArray[np.float64]:
    """Return the features of cases as an array (cases, features).

    Raises
    ------
    SchemaError
        If a feature returns another shape.
    """
    out = np.empty((len(cases), len(features)))
    for place, feature in enumerate(features):
        found = np.asarray(feature.values(state, cases), float)
        if found.shape != (len(cases),):
            msg = f"expected values of the feature {feature.name!r} of shape {(len(cases),)}, got {found.shape}"
            raise SchemaError(msg)
        out[:, place] = found
    return out


def check_serving(
    features: Sequence[Feature], state: State, cases: Cases, x: NDArray[np.float64], *, window: np.timedelta64
) -> None:
    """Check that training features equal those that would have been computed at the issue time, see `check_same`.

    Raises
    ------
    LeakError
        If a feature differs; names it, an issue time and both values.
    """
    names = [feature.name for feature in features]
    check_same(names, lambda known, some: matrix(features, known, some), state, cases, x, window=window)


def check_same(
    names: Sequence[str],
    compute: Callable[[State, Cases], NDArray[np.float64]],
    state: State,
    cases: Cases,
    x: NDArray[np.float64],
    *,
    window: np.timedelta64,
) -> None:
    """Check that training features equal those that would have been computed at the issue time.

    At some of the issue times the features are computed again from what was known then (`State.at`). A feature that reads later rows, a
    result that came later, or a statistic of the whole history differs.

    Parameters
    ----------
    names : sequence of str
        Of the features.
    compute : callable
        ``compute(state, cases)``: features (cases, features).
    state : State
        What the training features were computed from.
    cases : Cases
        Training cases.
    x : array (cases, features)
        Their features.
    window : timedelta64
        Window of the state that a prediction gets.

    Raises
    ------
    LeakError
        If a feature differs; names it, an issue time and both values.
    """
    instants = np.unique(cases.issued)
    # The first and the last one, and some between at irregular distances: a leak may have a rhythm.
    some = np.random.default_rng(0).choice(len(instants), min(_SAMPLES, len(instants)), replace=False)
    for when in instants[np.unique([0, len(instants) - 1, *some])] if len(instants) else ():
        rows = np.flatnonzero(cases.issued == when)
        known = state.at(when, window=window)
        again = compute(known, cases.take(rows))
        differs = ~np.isclose(again, x[rows], rtol=1e-9, atol=1e-12, equal_nan=True)
        if bool(differs.any()):
            row, column = (int(one[0]) for one in np.nonzero(differs))
            msg = (
                f"the feature {names[column]!r} isn't known at its issue time: at {when} it is {x[rows][row, column]:g} in training, "
                f"and {again[row, column]:g} from what was known then; compute it from rows before the issue time of each case alone, "
                "within Inputs.window, and state in EventColumns when columns of events become known"
            )
            raise LeakError(msg)
