"""Delays of a twin's planned events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.predict.delay import DelayPredictor, DelaySettings, FittedDelay
from twinlab.predict.known.knowledge import Knowledge
from twinlab.predict.known.reading import read_state
from twinlab.predict.protocol.durations import instant

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["default_settings", "delay_table", "fit_delay"]


def default_settings(twin: TwinReader, event_type: str, **given: Any) -> DelaySettings:  # noqa: ANN401
    """Return the settings for an event type: its links, and ``origin`` and ``destination`` as its places.

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
    options: dict[str, Any] = {"links": links, "places": places}
    return DelaySettings(event_type, str(spec.asset), **(options | given))


def fit_delay(
    twin: TwinReader, event_type: str, *, known: object, knowledge: Knowledge | None = None, **settings: object
) -> FittedDelay:
    """Fit a predictor of delays, see `twinlab.Twin.fit_delay`."""
    predictor = DelayPredictor(default_settings(twin, event_type, **settings))
    at, inputs = instant(known, what="known"), predictor.inputs
    return predictor.fit(read_state(twin, inputs, at, knowledge=knowledge, span=inputs.training_ns, on_grid=False))


def delay_table(
    twin: TwinReader,
    event_type: str,
    *,
    at: object,
    fitted: FittedDelay | None = None,
    knowledge: Knowledge | None = None,
) -> pd.DataFrame:
    """Return the delays of planned events, see `twinlab.Twin.delay`."""
    when = instant(at, what="at")
    if fitted is None:
        fitted = fit_delay(twin, event_type, known=when, knowledge=knowledge)
    if fitted.settings.event_type != event_type or np.datetime64(fitted.training[1]) > when:
        msg = (
            f"expected a predictor of {event_type!r} that was fitted to what was known at {when}, got one of "
            f"{fitted.settings.event_type!r} fitted at {fitted.training[1]}; fit it with known={str(when)!r} or earlier"
        )
        raise SchemaError(msg)
    table: pd.DataFrame = fitted.table(read_state(twin, fitted.inputs, when, knowledge=knowledge, on_grid=False))
    return table
