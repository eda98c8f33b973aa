"""Fit a predictor on what was known of a twin, and predict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from twinlab.predict.known.knowledge import Knowledge
from twinlab.predict.known.reading import read_state
from twinlab.predict.predictions.schema import check_predictions
from twinlab.predict.protocol.durations import instant
from twinlab.predict.protocol.predictor import Fitted, Predictor

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["fit_on", "predict_at"]


def fit_on(predictor: Predictor, twin: TwinReader, *, known: object, knowledge: Knowledge | None = None) -> Fitted:
    """Fit a predictor to what was known of a twin at an instant.

    Parameters
    ----------
    predictor : Predictor
    twin : TwinReader
    known : instant
        Nothing that became known later is used; a multiple of the step unless ``inputs.on_grid`` is false.
    knowledge : Knowledge, optional
        What was known; by default by ingest time if the twin has a ledger, else by event time.

    Raises
    ------
    SchemaError
        If the history is too short for the predictor.
    """
    at = instant(known, what="known")
    inputs = predictor.inputs
    state = read_state(twin, inputs, at, knowledge=knowledge, span=inputs.training_ns)
    return predictor.fit(state)


def predict_at(
    fitted: Fitted,
    twin: TwinReader,
    *,
    issue_time: object,
    knowledge: Knowledge | None = None,
    future: xr.Dataset | None = None,
) -> xr.Dataset:
    """Return the predictions that a fitted predictor issues at an instant, from what was known then.

    Parameters
    ----------
    fitted : Fitted
    twin : TwinReader
    issue_time : instant
        A multiple of the step.
    knowledge : Knowledge, optional
        As in `fit_on`.
    future : Dataset, optional
        Inputs known ahead, see `State`.

    Raises
    ------
    SchemaError
        If what the predictor returns doesn't follow the schema.
    """
    at = instant(issue_time, what="issue_time")
    data = fitted.predict(read_state(twin, fitted.inputs, at, knowledge=knowledge, future=future))
    check_predictions(data)
    return data
