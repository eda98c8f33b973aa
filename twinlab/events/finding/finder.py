"""Find the events in which a condition is true, on a twin, a plain xarray Dataset or a table of events."""

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
from twinlab.events.finding.event_rows import events_of_table, recorded_events
from twinlab.events.finding.parts import SpanSearch, search_on
from twinlab.events.finding.properties import FAR, PropertySearch
from twinlab.events.finding.relations import RelatedSearch
from twinlab.events.finding.search import Searched, search
from twinlab.events.reading import instant_ns, known
from twinlab.model.expressions import AssetContext, DatasetContext, bind_condition, bound, parse
from twinlab.model.expressions.named import named_type
from twinlab.model.expressions.walk import has_relation, properties_of, signals_of
from twinlab.model.schema import EVENT_COLUMNS
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    import xarray as xr
    from distributed import Client

    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["find"]

_UNKNOWN_START = np.iinfo(np.int64).min
_LONGEST_TYPE = 80


def find(
    source: TwinReader | xr.Dataset | pd.DataFrame,
    expression: str,
    *,
    on: str | None = None,
    lasting: Duration | None = None,
    gap: Duration | None = None,
    start: object = None,
    stop: object = None,
    assets: Sequence[str] | None = None,
    client: Client | None = None,
) -> pd.DataFrame:
    """Return the events in which a condition is true.

    Parameters
    ----------
    source : TwinReader, Dataset or DataFrame
        A twin, a view of one (``as_of``, a revision, some assets), or an xarray Dataset with the coordinate ``time``: its other
        dimensions count as assets, ``units``, ``flag_values`` and ``flag_meanings`` are read, the flags of a variable are in
        ``<variable>_qc``. A Dataset of Dask arrays is computed in pieces of time. Of a DataFrame, a table of events, the rows
        are returned for which the condition is true; its numbers have no known unit.
    expression : str
        Such as ``temperature > 8 degC and door == closed``; see `twinlab.model.expressions`. Of events: their columns, and
        ``duration``, ``start_delay``, ``end_delay`` and ``cancelled``, such as ``end_delay > 30 min``.
    on : str, optional
        Asset type, event type or finder of a twin; needed unless the expression names it, as in ``cold_room.temperature > 8 degC``.
    lasting : duration, optional
        Only events of at least this duration; a recorded event that isn't over counts up to ``stop``, without it as long enough.
    gap : duration, optional
        Two events at most this far apart are one. Recorded events aren't joined; `twinlab.events.merge` does it.
    start, stop : instant, optional
        Events that overlap ``[start, stop)``, with their beginnings before ``start`` (searched up to 32 days back). Naive is
        UTC. All by default.
    assets : sequence of str, optional
        Only these assets.
    client : distributed.Client, optional
        Search the cells of a twin on this Dask cluster, by month and neighbouring assets; the events are the same. A worker has at most
        4 million cells of a signal in memory. Recorded events, Datasets and DataFrames are searched in this process.

    Returns
    -------
    DataFrame
        ``event_id, type, asset, start, end, planned_start, planned_end, duration``, in order of asset and time. An event that
        isn't over at ``stop`` has no end and no duration; one that began before what was searched has no start. The id is made
        of the definition, the asset and the start, so that it stays the same. ``type`` is the expression.

        On an event type: the rows of ``twin.events(on)`` for which the condition is true, unchanged and in their order, with
        ``duration``. On a DataFrame: its rows, with their index.

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
    unknown. A recorded event with an unknown time or property isn't found by a condition that needs it.

    A condition of properties alone, such as ``payload > 12 t``, is true over the whole lifetime of an asset: one event, from the
    start of its lifetime (``lifetime:`` in ``twin.yaml``), or from the twin's origin, to the end of its lifetime. In a Dataset,
    from its first instant on.

    >>> from twinlab.testing import FakeTwin
    >>> found = find(FakeTwin.example(days=2, trips=10), "station.temperature > 62 degF", lasting="1h")
    >>> found[["asset", "start", "duration"]].head(1).values.tolist()
    [['NORTH', Timestamp('2026-01-01 14:05:00'), Timedelta('0 days 03:05:00')]]
    >>> find(FakeTwin.example(days=2, trips=10), "trip.end_delay > 20 min")["event_id"].tolist()
    ['trip-000003', 'trip-000006', 'trip-000009']
    """
    if isinstance(source, pd.DataFrame):
        _no_type(on, "a DataFrame")
        _no_gap(gap)
        return events_of_table(source, expression, lasting, (start, stop), assets)
    if hasattr(source, "data_vars") or not hasattr(source, "history"):
        return _find_in_dataset(source, expression, on, (lasting, gap), (start, stop), assets)
    node = parse(expression)
    model = source.model
    kind = on if on is not None else named_type(node, model)
    if kind is None:
        msg = f"expected on=…, the asset type or event type that the expression is about, one of {', '.join(_types(model))}"
        raise SchemaError(msg)
    if known(kind, _types(model), "asset type or event type") == "events":
        _no_gap(gap)
        return recorded_events(source, kind, node, expression, lasting, (start, stop), assets)
    condition = bind_condition(node, AssetContext(model, kind), text=expression)
    if assets is not None:
        ids = dict.fromkeys(map(str, source.assets(kind).index))
        for one in assets:
            if one not in ids:
                msg = f"expected an asset of type {kind!r}, got {one!r}{nearest(one, ids)}"
                raise UnknownTermError(msg)
    with search_on(client, source) as spans:
        place = _place(source, kind, condition, assets, spans)
        return _events(place, condition, expression, kind, (lasting, gap), (start, stop))


def _types(model: TwinModel) -> dict[str, str]:
    """Return what may be given as ``on``: name -> "cells" of asset types, "events" of event types and finders."""
    events = dict.fromkeys([*model.event_types, *model.events], "events")
    return {
        **dict.fromkeys(model.asset_types, "cells"),
        **{k: v for k, v in events.items() if k not in model.asset_types},
    }


def _place(
    source: TwinReader, kind: str, condition: bound.Condition, assets: Sequence[str] | None, spans: SpanSearch
) -> _Place:
    if has_relation(condition):
        related = RelatedSearch(source, kind, condition, assets, spans)
        return _Place(related.assets, related.extent_ns, related.search)
    if signals_of(condition):
        cells = TwinCells(source, kind, condition, assets)
        found = partial(search, cells, condition, origin_ns=source.model.origin_ns, spans=spans)
        return _Place(cells.assets, cells.extent_ns, found)
    if not properties_of(condition):
        spec = source.model.asset_types[kind]
        msg = f"expected a signal or property of {kind!r} in the expression; known: {', '.join([*spec.signals, *spec.properties])}"
        raise SchemaError(msg)
    stated = PropertySearch(source, kind, condition, assets)
    return _Place(stated.assets, stated.extent_ns, stated.search)


def _no_type(on: str | None, what: str) -> None:
    if on is not None:
        msg = f"expected no type for {what}, got on={on!r}; it has what one type has"
        raise SchemaError(msg)


def _no_gap(gap: Duration | None) -> None:
    if gap is not None:
        msg = f"expected no gap for recorded events, got {gap!r}; join what is found with twinlab.events.merge(found, gap=…)"
        raise SchemaError(msg)


def _find_in_dataset(  # noqa: PLR0917
    ds: Any,  # noqa: ANN401  (checked below)
    expression: str,
    on: str | None,
    sizes: tuple[Duration | None, Duration | None],
    window: tuple[object, object],
    assets: Sequence[str] | None,
) -> pd.DataFrame:
    if not hasattr(ds, "data_vars"):
        msg = f"expected a twin, an xarray Dataset or a DataFrame, got {type(ds).__name__}; of a DataArray use .to_dataset(name=…)"
        raise SchemaError(msg)
    _no_type(on, "a Dataset")
    condition = bind_condition(expression, DatasetContext(ds))
    if not signals_of(condition) and not properties_of(condition):
        msg = "expected a variable in the expression, got none; add a comparison of one"
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
        data = f"; the data are from {_text(first)} to {_text(last)}" if last < FAR else ""
        msg = f"expected start before stop, got {window[0]} and {window[1]}{data}"
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
