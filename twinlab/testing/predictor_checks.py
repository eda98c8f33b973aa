"""Conformance check of a predictor: what backtests, intervals and the store of predictions rely on."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from functools import reduce

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.predictions.schema import check_predictions
from twinlab.predict.protocol.predictor import Fitted, Predictor
from twinlab.predict.protocol.state import State

__all__ = ["check_predictor"]


def check_predictor(predictor: Predictor, state: State) -> None:
    """Check that a predictor fits and predicts as twinlab relies on it.

    A fit doesn't change the parameters or the state; the same fit and the same state give the same numbers, in another process too; predictions follow the
    schema and are issued at the state's issue time; what is before the window, and assets in another order, make no difference; an asset without a value
    gets a reason or a number, never an error.

    Parameters
    ----------
    predictor : Predictor
    state : State
        With the history that `fit` needs, at the end of which it predicts.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong.
    """
    _check(isinstance(predictor, Predictor), f"{type(predictor).__name__} lacks a method of twinlab.predict.Predictor")
    _check(bool(predictor.name), "the predictor has no name")
    parameters = _hash(predictor.content_hash)
    before = state.history.copy(deep=True)
    fitted = predictor.fit(state)
    _check(
        isinstance(fitted, Fitted),
        f"{type(fitted).__name__}, which fit returns, lacks a method of twinlab.predict.Fitted",
    )
    _check(predictor.content_hash() == parameters, "fit has changed the predictor's parameters")
    start, stop = fitted.training
    _check(
        bool(start < stop) and bool(stop <= state.issue_time),
        f"the training span {start} to {stop} isn't before the issue time {state.issue_time}",
    )
    again = predictor.fit(state)
    _check(
        again.content_hash() == _hash(fitted.content_hash), "two fits to the same state have different content hashes"
    )
    served = state.at(state.issue_time, window=fitted.inputs.window_ns)
    first = fitted.predict(served)
    _check_data(first, state.issue_time)
    _check(fitted.predict(served).identical(first), "the same state gives other predictions the second time")
    _check(again.predict(served).identical(first), "the same fit gives other predictions the second time")
    copied: Fitted = pickle.loads(pickle.dumps(fitted))  # noqa: S301  (its own bytes)
    _check(
        copied.predict(served).identical(first),
        "a fitted predictor gives other predictions after it was sent to another process",
    )
    _check(_same(fitted.predict(state), first), "what is before Inputs.window changes the predictions")
    _check(state.history.identical(before), "fit or predict has changed the state")
    _check_order(fitted, served, first)
    _check_missing(fitted, served)
    later = fitted.update(served)
    _check(isinstance(later, Fitted), "update doesn't return a fitted predictor")
    _check(fitted.predict(served).identical(first), "update has changed the predictor that it was called of")


def _hash(content_hash: Callable[[], str]) -> str:
    found = content_hash()
    _check(re.fullmatch(r"[0-9a-f]{16,}", found) is not None, f"the content hash isn't hexadecimal: {found!r}")
    return found


def _check_data(data: xr.Dataset, issue_time: np.datetime64) -> None:
    try:
        check_predictions(data)
    except SchemaError as error:
        msg = f"the predictions don't follow the schema: {error}"
        raise AssertionError(msg) from error
    issued = data["issue_time"].values
    _check(
        bool((issued == issue_time).all()), f"the predictions are issued at {issued.ravel()[:1]}, not at {issue_time}"
    )


def _same(found: xr.Dataset, wanted: xr.Dataset) -> bool:
    name = str(wanted.attrs["target"])
    return bool(found[name].equals(wanted[name]))


def _check_order(fitted: Fitted, state: State, first: xr.Dataset) -> None:
    """Check predictions of assets in another order."""
    if state.history.sizes["asset"] < 2 or "case" in first.dims:
        return
    turned = replace(state, history=state.history.isel(asset=slice(None, None, -1)))
    found = fitted.predict(turned).reindex(asset=first["asset"].values)
    _check(_same(found, first), "assets in another order have other predictions")


def _check_missing(fitted: Fitted, state: State) -> None:
    """Check that an asset without any value raises nothing."""
    if not state.history.sizes["asset"] or not state.history.data_vars:
        return
    last = state.history["asset"].values[-1]
    empty = reduce(
        lambda data, name: data.assign({name: data[name].where(data["asset"] != last)}),
        state.history.data_vars,
        state.history,
    )
    try:
        data = fitted.predict(replace(state, history=empty))
    except Exception as error:
        msg = f"an asset without any value raises {type(error).__name__}: {error}; it needs a number or a reason"
        raise AssertionError(msg) from error
    _check_data(data, state.issue_time)


def _check(condition: bool, message: str) -> None:  # noqa: FBT001
    if not condition:
        raise AssertionError(message)
