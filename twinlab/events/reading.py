"""Read cells of a history as plain arrays, once per cadence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.history.read.direct import computed
from twinlab.model.flags import Flag
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import parse_duration

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["Cells", "duration_ns", "instant_ns", "known", "last_row", "read_cells"]

_T = TypeVar("_T")

#: Flags of cells that may be used; those not evaluated yet are the newest, which no watermark has passed.
USABLE = (Flag.PASS, Flag.SUSPECT, Flag.NOT_EVALUATED)


@dataclass(frozen=True)
class Cells:
    """Values and flags of signals of one cadence, each an array (time, asset)."""

    # Starts of the cells, datetime64[ns], rising.
    times: NDArray[np.datetime64]
    assets: tuple[str, ...]
    cadence_ns: int
    values: Mapping[str, NDArray[np.float64]]
    flags: Mapping[str, NDArray[np.uint8]]
    # Signals whose value is valid until the next.
    states: frozenset[str]
    # In this span cells of gauges may be removed: without a value, and not evaluated. None if none is.
    removed: tuple[np.datetime64, np.datetime64] | None = None

    def observed(self, signal: str) -> NDArray[np.bool_]:
        """Return which cells have an observation, good or bad.

        A state has a value in each cell until the next observation, so that only its flag shows an observation; in cells
        without a flag yet, a change of the value does.
        """
        value, flag = self.values[signal], self.flags[signal]
        there = ~np.isnan(value)
        fresh = flag == Flag.NOT_EVALUATED
        if signal in self.states:
            changed = np.zeros_like(there)
            changed[1:] = value[1:] != value[:-1]
            fresh &= changed
        found = (there & ((flag == Flag.PASS) | (flag == Flag.SUSPECT) | fresh)) | (flag == Flag.FAIL)
        if self.removed is not None and signal not in self.states:
            # What was removed was observed; cells without an observation are missing still.
            inside = (self.times >= self.removed[0]) & (self.times < self.removed[1])
            found |= ~there & (flag == Flag.NOT_EVALUATED) & inside[:, None]
        return np.asarray(found)

    def good(self, signal: str) -> NDArray[np.bool_]:
        """Return which cells have a usable value: of a state also between observations, of a gauge where it was observed."""
        there = ~np.isnan(self.values[signal])
        if signal in self.states:
            return np.asarray(there & (self.flags[signal] != Flag.FAIL))
        return np.asarray(there & np.isin(self.flags[signal], USABLE))


def last_row(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return each column's last row that is true, -1 where none is.

    >>> last_row(np.array([[True, False], [True, False], [False, False]])).tolist()
    [1, -1]
    """
    if not mask.shape[0]:
        return np.full(mask.shape[1], -1, dtype=np.int64)
    last = mask.shape[0] - 1 - mask[::-1].argmax(axis=0)
    return np.where(mask.any(axis=0), last, -1).astype(np.int64)


def read_cells(
    twin: TwinReader,
    asset_type: str,
    *,
    signals: Sequence[str],
    start_ns: int,
    stop_ns: int,
    assets: Sequence[str] | None = None,
) -> Iterator[Cells]:
    """Yield the cells of ``[start, stop)`` by cadence; only of assets that have a history.

    Parameters
    ----------
    start_ns, stop_ns : int
        Nanoseconds since 1970, UTC; of the starts of the cells.
    """
    spec = twin.model.asset_types[asset_type]
    groups: dict[int, list[str]] = {}
    for name in signals:
        groups.setdefault(spec.signals[name].cadence_ns, []).append(name)
    start, stop = np.datetime64(start_ns, "ns"), np.datetime64(stop_ns, "ns")
    for cadence, names in groups.items():
        data = twin.history(asset_type, signals=names, start=start, stop=stop)
        ids = [str(one) for one in data["asset"].values]
        if assets is not None:
            having = set(ids)
            ids = [one for one in assets if one in having]
            data = twin.history(asset_type, signals=names, assets=ids, start=start, stop=stop)
        data = computed(data)
        removed = [data.attrs[key] for key in ("removed_since", "removed_before") if "removed_before" in data.attrs]
        yield Cells(
            times=data["time"].values.astype("datetime64[ns]"),
            assets=tuple(ids),
            cadence_ns=cadence,
            values={name: np.asarray(data[name].values, dtype=float) for name in names},
            flags={name: np.asarray(data[f"{name}_qc"].values, dtype="uint8") for name in names},
            states=frozenset(name for name in names if spec.signals[name].kind == "state"),
            removed=_span(*removed) if removed else None,
        )


def _span(*texts: str) -> tuple[np.datetime64, np.datetime64]:
    since, before = (np.datetime64(text.removesuffix("Z"), "ns") for text in texts)
    return since, before


def known(name: str, names: Mapping[str, _T], what: str) -> _T:
    """Return the entry of a name.

    Raises
    ------
    UnknownTermError
        If there is none; shows the nearest name.
    """
    if name not in names:
        msg = f"expected a known {what}, got {name!r}{nearest(name, names)}"
        raise UnknownTermError(msg)
    return names[name]


def instant_ns(when: object) -> int:
    """Return an instant (text, datetime, datetime64; naive means UTC) in nanoseconds since 1970.

    Raises
    ------
    SchemaError
        If it isn't one.

    >>> instant_ns("1970-01-01T00:00:01Z")
    1000000000
    """
    msg = f"expected an instant such as '2013-02-12T06:00', got {when!r}"
    try:
        stamp: Any = pd.Timestamp(when)  # type: ignore[arg-type]  # any of its many kinds
        if stamp is pd.NaT:
            raise SchemaError(msg)
        if stamp.tzinfo is not None:
            stamp = stamp.tz_convert("UTC").tz_localize(None)
        return int(stamp.as_unit("ns").value)
    except (ValueError, TypeError) as error:
        raise SchemaError(msg) from error


def duration_ns(text: str) -> int:
    """Return a duration such as "1d" in nanoseconds.

    Raises
    ------
    SchemaError
        If it isn't one.
    """
    try:
        return parse_duration(text)
    except (ValueError, TypeError) as error:
        raise SchemaError(str(error)) from error
