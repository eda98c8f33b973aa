"""What the states of all adapters have in common: scalars, their check, and the cells of a span."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError

__all__ = ["Span", "checked_span", "code_hash", "scalars"]


def scalars(*, start: np.datetime64, seed: int, replication: int) -> dict[str, Any]:
    """Return the variables that every state has.

    Raises
    ------
    SchemaError
        If the replication is negative or the start isn't an instant.
    """
    begin = _instant(start)
    if np.isnat(begin) or replication < 0:
        msg = f"expected a start (UTC) and a replication from 0 on, got start={start!r}, replication={replication!r}"
        raise SchemaError(msg)
    return {"start": begin, "time": begin, "seed": np.int64(seed), "replication": np.int64(replication)}


@dataclass(frozen=True)
class Span:
    """A span to advance over.

    Parameters
    ----------
    start, begin, until : datetime64[ns]
        Start of the state, its present time, and the end.
    times : array of datetime64[ns]
        Start of each cell; the last one is shorter if the span isn't a multiple of the step.
    seed, replication : int
        As in the state.
    """

    start: np.datetime64
    begin: np.datetime64
    until: np.datetime64
    times: NDArray[np.datetime64]
    seed: int
    replication: int

    def seconds(self, instants: Any) -> Any:  # noqa: ANN401  (an instant or an array of them)
        """Return float64 seconds since the start."""
        return (instants - self.start) / np.timedelta64(1, "ns") / 1e9


def checked_span(state: xr.Dataset, *, name: str, model_hash: str, until: np.datetime64, step: np.timedelta64) -> Span:
    """Return the span from a state's time to an instant.

    Raises
    ------
    SchemaError
        If the state is of another model or another version of it, or the span or the step isn't positive.
    """
    found = state.attrs.get("model"), state.attrs.get("model_hash")
    if found != (name, model_hash):
        msg = (
            f"expected a state of the model {name!r} with hash {model_hash[:12]}, got one of {found[0]!r} with hash "
            f"{str(found[1])[:12]}; a state fits only the model, parameters and code that made it"
        )
        raise SchemaError(msg)
    begin, stop, width = _instant(state["time"]), _instant(until), np.timedelta64(step, "ns")
    if not (stop > begin and width > np.timedelta64(0, "ns")):
        msg = f"expected until after the state's time {begin} and a positive step, got until={stop}, step={step}"
        raise SchemaError(msg)
    start = _instant(state["start"])
    times = np.arange(begin, stop, width)
    return Span(start, begin, stop, times, int(state["seed"]), int(state["replication"]))


def _instant(value: object) -> np.datetime64:
    nanoseconds: int = np.asarray(value).astype("datetime64[ns]").astype(np.int64).item()
    return np.datetime64(nanoseconds, "ns")


def code_hash(function: Callable[..., Any], **more: object) -> str:
    """Return a hash of a function's source (of its bytecode where there is no source) and of what else decides.

    What the function calls isn't part of it; that is what the adapters' ``version`` is for.
    """
    try:
        code = inspect.getsource(function)
    except (OSError, TypeError):
        target = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
        code = f"{function!r}" if target is None else f"{target.co_code!r}{target.co_consts!r}{target.co_names!r}"
    text = json.dumps({"code": code, **more}, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if inspect.isroutine(value):
        return code_hash(value)
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "__dict__"):
        return {"type": type(value).__name__, **vars(value)}
    return repr(value)
