"""Delays of a twin's planned events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.predict.delay import DelayPredictor, DelaySettings, FittedDelay
from twinlab.predict.delay.chains import chain_column
from twinlab.predict.known.knowledge import Knowledge
from twinlab.predict.known.reading import read_state
from twinlab.predict.protocol.durations import duration, instant
from twinlab.predict.protocol.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twinlab.model.reader import TwinReader
    from twinlab.predict.predictions.store import PredictionStore

__all__ = ["default_settings", "delay_table", "fit_delay"]

#: Events of so many days show what does one after another.
_SHOWN: Final = np.timedelta64(28, "D")
#: Errors of so many days give the intervals; a history of fewer than two such spans is short.
_CALIBRATION: Final = "28d"
_SHORT: Final = 2
#: Width of the cells of signals beside the events.
_STEP: Final = "1h"


def default_settings(twin: TwinReader, event_type: str, *, known: np.datetime64, **given: Any) -> DelaySettings:  # noqa: ANN401
    """Return the settings for an event type.

    All its links are used; ``origin`` and ``destination`` are its places, and the interval is by origin; the chain is the asset, or the link whose
    events follow each other; surroundings are the numeric signals of what an event links to, its destination apart.

    Raises
    ------
    UnknownTermError
        If the model has no such event type.
    """
    spec = twin.model.event_types.get(event_type)
    if spec is None:
        msg = f"unknown event type {event_type!r}{nearest(event_type, twin.model.event_types)}"
        raise UnknownTermError(msg)
    links = tuple(spec.links)
    places = ("origin", "destination") if {"origin", "destination"} <= set(links) else None
    movers = ("asset", *(name for name in links if places is None or name not in places))
    options: dict[str, Any] = {"links": links, "places": places, "group": "origin" if places else None}
    if "chain" not in given:
        options["chain"] = chain_column(twin.events(event_type, start=known - _SHOWN, stop=known), movers)
    if "surroundings" not in given:
        linked = {name: kind for name, kind in spec.links.items() if places is None or name != places[1]}
        options["surroundings"] = _surroundings(twin, linked)
    return DelaySettings(event_type, str(spec.asset), **(options | given))


def _surroundings(twin: TwinReader, links: Mapping[str, str]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return the numeric signals of linked assets as hourly variables, positions apart."""
    out = {}
    for link, kind in links.items():
        spec = twin.model.asset_types[kind]
        names = []
        for name, signal in spec.signals.items():
            if signal.kind != "gauge" or name in (spec.position or ()):
                continue
            if signal.cadence_ns == pd.Timedelta(_STEP).value:
                names.append(name)
            elif _STEP in twin.steps(kind, name):
                names.append(f"{name}_mean")
        if names:
            out[link] = (kind, tuple(names))
    return out


def fit_delay(
    twin: TwinReader, event_type: str, *, known: object, knowledge: Knowledge | None = None, **settings: object
) -> FittedDelay:
    """Fit a predictor of delays, see `twinlab.Twin.fit_delay`."""
    at = instant(known, what="known")
    given = default_settings(twin, event_type, known=at, **settings)
    inputs = given.inputs
    state = read_state(twin, inputs, at, knowledge=knowledge, span=inputs.training_ns)
    return DelayPredictor(given, calibration=_calibration(state, event_type, inputs.training_ns)).fit(state)


def _calibration(state: State, event_type: str, training: np.timedelta64) -> str:
    """Return the usual calibration span; of a short history a quarter of it, in whole hours, so that most of it can be learnt from."""
    begun = state.events[event_type]["start"].min()
    known = training if pd.isna(begun) else min(training, state.issue_time - np.datetime64(begun, "ns"))
    hours = max(1, int(known / 4 / np.timedelta64(1, "h")))
    return _CALIBRATION if known >= _SHORT * duration(_CALIBRATION, what="calibration") else f"{hours}h"


def delay_table(
    twin: TwinReader,
    event_type: str,
    *,
    at: object,
    fitted: FittedDelay | None = None,
    knowledge: Knowledge | None = None,
    assets: Sequence[str] | None = None,
    store: str | None = None,
    stored: PredictionStore | None = None,
) -> pd.DataFrame:
    """Return the delays of planned events, see `twinlab.Twin.delay`."""
    when = _end_of(twin, event_type) if at is None else instant(at, what="at")
    if fitted is None:
        fitted = fit_delay(twin, event_type, known=when, knowledge=knowledge)
    if fitted.settings.event_type != event_type or np.datetime64(fitted.training[1]) > when:
        msg = (
            f"expected a predictor of {event_type!r} that was fitted to what was known at {when}, got one of "
            f"{fitted.settings.event_type!r} fitted at {fitted.training[1]}; fit it with known={str(when)!r} or earlier"
        )
        raise SchemaError(msg)
    state = read_state(twin, fitted.inputs, when, knowledge=knowledge)
    table: pd.DataFrame = fitted.table(state)
    # Of an hour in which nothing is planned there is nothing to store.
    if store is not None and stored is not None and len(table):
        delays = fitted.delay(state)
        rows = table.set_index("event_id").loc[delays["event_id"].values]
        # Beside the delays, so that a page has all that it shows in one place.
        chance = ("case", rows["late"].to_numpy(float), {"long_name": f"probability of {fitted.settings.late} or more"})
        stored.add(store, delays.assign_coords(late=chance, reason=("case", rows["reason"].to_numpy(object))))
        stored.add(f"{store}, late", fitted.late(state))
    if assets is not None:
        table = table[table["asset"].isin(list(assets))].reset_index(drop=True)
    table.attrs = {"issue_time": when, "training": fitted.training}
    return table


def _end_of(twin: TwinReader, event_type: str) -> np.datetime64:
    """Return the latest instant at which an event of the type began or ended.

    Raises
    ------
    SchemaError
        If none did.
    """
    table = twin.events(event_type)
    newest = pd.concat([table["start"], table["end"]]).max()
    if pd.isna(newest):
        msg = f"expected events of {event_type!r} that have begun, got none; ingest them, or pass at="
        raise SchemaError(msg)
    return np.datetime64(newest, "ns")
