"""Find the events in which a condition is true, on a twin or on a plain xarray Dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.algebra.event_spans import Duration, as_times, span_length
from twinlab.events.algebra.spans import NEVER
from twinlab.events.finding.cells import TwinCells
from twinlab.events.finding.dataset_cells import DatasetCells
from twinlab.events.finding.event_ids import asset_names, event_ids
from twinlab.events.finding.relations import RelatedSearch
from twinlab.events.finding.search import Searched, search
from twinlab.events.reading import instant_ns, known
from twinlab.model.expressions import AssetContext, DatasetContext, bind_condition, bound, parse
from twinlab.model.expressions.named import named_type
from twinlab.model.expressions.walk import has_relation, signals_of
from twinlab.model.schema import EVENT_COLUMNS
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.model.reader import TwinReader

__all__ = ["find"]

_UNKNOWN_START = np.iinfo(np.int64).min
_LONGEST_TYPE = 80


def find(
    source: TwinReader | xr.Dataset,
    expression: str,
    *,
    on: str | None = None,
    lasting: Duration | None = None,
    gap: Duration | None = None,
    start: object = None,
    stop: object = None,
    assets: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return the events in which a condition is true.

    Parameters
    ----------
    source : TwinReader or Dataset
        A twin, a view of one (``as_of``, a revision, some assets), or an xarray Dataset with the coordinate ``time``: its other
        dimensions count as assets, ``units``, ``flag_values`` and ``flag_meanings`` are read, the flags of a variable are in
        ``<variable>_qc``. A Dataset of Dask arrays is computed in pieces of time.
    expression : str
        Such as ``temperature > 8 degC and door == closed``; see `twinlab.model.expressions`.
    on : str, optional
        Asset type of a twin; needed unless the expression names it, as in ``cold_room.temperature > 8 degC``.
    lasting : duration, optional
        Only events of at least this duration.
    gap : duration, optional
        Two events at most this far apart are one.
    start, stop : instant, optional
        Events that overlap ``[start, stop)``, with their beginnings before ``start`` (searched up to 32 days back). Naive is
        UTC. All by default.
    assets : sequence of str, optional
        Only these assets.

    Returns
    -------
    DataFrame
        ``event_id, type, asset, start, end, planned_start, planned_end, duration``, in order of asset and time. An event that
        isn't over at ``stop`` has no end and no duration; one that began before what was searched has no start. The id is made
        of the definition, the asset and the start, so that it stays the same. ``type`` is the expression.

    Raises
    ------
    SchemaError
        If the expression can't be read; the message shows the column.
    UnknownTermError
        If a name, an asset type or an asset isn't known; the message shows the nearest.
    UnitError
        If units don't fit.

    Notes
    -----
    A condition is true, false or unknown. A gauge's last good value (pass, suspect or not evaluated yet) is valid for an hour,
    at least three cells; a state's until its next observation. An event lasts while the condition is true: not while it's
    unknown.

    >>> from twinlab.testing import FakeTwin
    >>> found = find(FakeTwin.example(days=2, trips=10), "station.temperature > 62 degF", lasting="1h")
    >>> found[["asset", "start", "duration"]].head(1).values.tolist()
    [['NORTH', Timestamp('2026-01-01 14:05:00'), Timedelta('0 days 03:05:00')]]
    """
    if hasattr(source, "data_vars") or not hasattr(source, "history"):
        return _find_in_dataset(source, expression, on, (lasting, gap), (start, stop), assets)
    node = parse(expression)
    model = source.model
    kind = on if on is not None else named_type(node, model)
    if kind is None:
        msg = f"expected on=…, the asset type that the expression is about, one of {', '.join(model.asset_types)}"
        raise SchemaError(msg)
    known(kind, model.asset_types, "asset type")
    condition = bind_condition(node, AssetContext(model, kind), text=expression)
    if assets is not None:
        ids = [str(one) for one in source.assets(kind).index]
        for one in assets:
            if one not in set(ids):
                msg = f"expected an asset of type {kind!r}, got {one!r}{nearest(one, ids)}"
                raise UnknownTermError(msg)
    window = start, stop
    if has_relation(condition):
        related = RelatedSearch(source, kind, condition, assets)
        place = _Place(related.assets, related.extent_ns, related.search)
        return _events(place, condition, expression, kind, (lasting, gap), window)
    if not signals_of(condition):
        msg = f"expected a signal of {kind!r} in the expression; known: {', '.join(model.asset_types[kind].signals)}"
        raise SchemaError(msg)
    cells = TwinCells(source, kind, condition, assets)
    place = _Place(cells.assets, cells.extent_ns, partial(search, cells, condition, origin_ns=model.origin_ns))
    return _events(place, condition, expression, kind, (lasting, gap), window)


def _find_in_dataset(  # noqa: PLR0917
    ds: Any,  # noqa: ANN401  (checked below)
    expression: str,
    on: str | None,
    sizes: tuple[Duration | None, Duration | None],
    window: tuple[object, object],
    assets: Sequence[str] | None,
) -> pd.DataFrame:
    if not hasattr(ds, "data_vars"):
        msg = f"expected a twin or an xarray Dataset, got {type(ds).__name__}; of a DataArray use .to_dataset(name=…)"
        raise SchemaError(msg)
    if on is not None:
        msg = f"expected no asset type for a Dataset, got on={on!r}; it has the variables of one type"
        raise SchemaError(msg)
    condition = bind_condition(expression, DatasetContext(ds))
    if not signals_of(condition):
        msg = "expected a variable with the dimension time in the expression, got none; add a comparison of one"
        raise SchemaError(msg)
    cells = DatasetCells(ds, condition, only=assets)
    place = _Place(cells.assets, cells.extent_ns, partial(search, cells, condition, origin_ns=cells.extent_ns[0]))
    return _events(place, condition, expression, "", sizes, window)


class _Search(Protocol):
    """Returns the spans that overlap ``[start, stop)``."""

    def __call__(self, *, start_ns: int, stop_ns: int, gap_ns: int) -> Searched:
        """Search."""


class _Place(NamedTuple):
    """Where is searched."""

    assets: Sequence[str]
    extent_ns: tuple[int, int]
    search: _Search


def _events(  # noqa: PLR0917
    place: _Place,
    condition: bound.Condition,
    expression: str,
    kind: str,
    sizes: tuple[Duration | None, Duration | None],
    window: tuple[object, object],
) -> pd.DataFrame:
    lasting, gap = (
        0 if one is None else span_length(one, name) for one, name in zip(sizes, ("lasting", "gap"), strict=True)
    )
    first, last = place.extent_ns
    low = first if window[0] is None else instant_ns(window[0])
    high = last if window[1] is None else instant_ns(window[1])
    if not low < high and first < last:
        msg = f"expected start before stop, got {window[0]} and {window[1]}; the data are from {_text(first)} to {_text(last)}"
        raise SchemaError(msg)
    found = place.search(start_ns=low, stop_ns=high, gap_ns=gap)
    title = " ".join(expression.split())
    digest = hashlib.blake2b(repr((kind, condition, lasting, gap)).encode(), digest_size=6).hexdigest()
    table = event_table(found, place.assets, title=title, digest=digest, stop_ns=high, lasting_ns=lasting)
    # What `Twin.why` needs to explain a row; pandas keeps it with rows and parts of the table.
    table.attrs |= {"expression": expression, "on": kind}
    return table


def event_table(
    found: Searched, assets: Sequence[str], *, title: str, digest: str, stop_ns: int, lasting_ns: int
) -> pd.DataFrame:
    """Return spans as an event table, sorted by asset and start."""
    spans = found.spans
    keep = spans.end - spans.start >= lasting_ns
    key, start, end = spans.key[keep], spans.start[keep], spans.end[keep]
    start = np.where(start == found.since_ns[key], _UNKNOWN_START, start)
    end = np.where(end >= stop_ns, NEVER, end)
    names = asset_names(assets, key)
    given: dict[str, Any] = {
        "event_id": event_ids(digest, names, start),
        "type": title if len(title) <= _LONGEST_TYPE else f"{title[: _LONGEST_TYPE - 1]}…",
        "asset": names,
        "start": start.view("datetime64[ns]"),
        "end": as_times(end),
    }
    table = pd.DataFrame(
        {
            name: pd.Series(given.get(name), index=range(len(key)), dtype="str" if dtype == "string" else dtype)
            for name, dtype in EVENT_COLUMNS.items()
        }
    )
    return table.assign(duration=table["end"] - table["start"])


def _text(nanoseconds: int) -> str:
    return str(np.datetime64(nanoseconds, "ns").astype("datetime64[s]"))
