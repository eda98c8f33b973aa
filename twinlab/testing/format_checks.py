"""Conformance check of a format of models: what stored models rely on."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import xarray as xr

from twinlab.predict.models.files import read_model, write_model
from twinlab.predict.models.format import from_arrays, model_hash, to_arrays

__all__ = ["check_stored_model"]


def check_stored_model(fitted: object, predict: Callable[[Any], xr.Dataset]) -> None:
    """Check that a fitted model can be stored as twinlab relies on it.

    What is read again predicts the same bits and has the same content hash, from JSON as any parser reads it, and from a file; equal models are equal files;
    no array has objects in it, so that a file can't name code.

    Parameters
    ----------
    fitted : object
        A fitted predictor, or a model of anomalies.
    predict : callable
        ``predict(model) -> Dataset``, such as ``lambda model: model.predict(state)``.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong.
    SchemaError
        If a part of it has no format.
    """
    first = predict(fitted)
    arrays, content = to_arrays(fitted)
    objects = [name for name, one in arrays.items() if one.dtype.hasobject]
    _check(not objects, f"the arrays {', '.join(objects)} have objects in them")
    again = from_arrays(arrays, json.loads(json.dumps(content, allow_nan=False)))
    _check(predict(again).identical(first), "what is read from arrays and JSON predicts other bits")
    _check(model_hash(again) == model_hash(fitted), "what is read from arrays and JSON has another content hash")
    with tempfile.TemporaryDirectory() as folder:
        one = write_model(Path(folder) / "one.model", fitted)
        read = read_model(one)
        _check(predict(read).identical(first), "what is read from a file predicts other bits")
        two = write_model(Path(folder) / "two.model", read)
        _check(one.read_bytes() == two.read_bytes(), "what is read from a file is written as another file")


def _check(true: bool, what: str) -> None:  # noqa: FBT001  (a condition)
    if not true:
        raise AssertionError(what)
