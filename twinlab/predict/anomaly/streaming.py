"""Rows scored as they come: scores and events of an asset type, from one state to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinlab.predict.anomaly.levels import LevelState
from twinlab.predict.anomaly.scoring import AnomalyModel
from twinlab.predict.anomaly.tracking import Hysteresis, Integers, TrackedEvent, TrackingState, track
from twinlab.predict.anomaly.values import Floats

__all__ = ["StreamState", "advance", "start_stream"]


@dataclass(frozen=True)
class StreamState:
    """After some rows."""

    levels: LevelState
    tracking: TrackingState


def start_stream(model: AnomalyModel, rule: Hysteresis) -> StreamState:
    """Return the state before the first row."""
    return StreamState(model.state, TrackingState.start(len(model.assets), rule))


def advance(
    model: AnomalyModel,
    values: Floats,
    times: Integers,
    state: StreamState,
    rule: Hysteresis,
    *,
    limits: Sequence[tuple[int, float]],
) -> tuple[list[TrackedEvent], StreamState]:
    """Score rows; return the events that ended in them, and the state after them, with the events that are active.

    However rows are cut into batches, events are those that `find_events` finds in the scores of all rows together.

    Parameters
    ----------
    model : AnomalyModel
        With the limit 1.
    values : array, [time, asset, signal]
        Of the model's assets and signals, in its order; the rows that follow the state.
    times : int64 array
        Of the rows, ns.
    state : StreamState
        Of `start_stream`, or of the rows before.
    rule : Hysteresis
    limits : sequence of (int, float)
        Limits, each with the time from which on it is used, ns, rising; the first one is used before, too.
    """
    if not len(times):
        return [], state
    index, shares, levels = model.score_values(values, state.levels)
    places = np.searchsorted(np.array([since for since, _ in limits]), times, side="right") - 1
    index = index / np.array([limit for _, limit in limits])[np.maximum(places, 0)][:, None]
    shares[~(index >= 1)] = np.nan
    ended, tracking = track(index, shares, times, rule, state.tracking)
    return ended, StreamState(levels, tracking)
