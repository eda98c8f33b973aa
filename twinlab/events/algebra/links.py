"""Events as other assets see them, through relationships that change in time."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.algebra.event_spans import Key, as_times, parts_of, spans_of
from twinlab.events.algebra.spans import ALWAYS, Spans, intersections, merged
from twinlab.model.terms import nearest

__all__ = ["links_from", "spans_of_both", "through"]

_COLUMNS = ("source", "target", "valid_from", "valid_until")


def through(events: pd.DataFrame, links: pd.DataFrame, *, to: Literal["source", "target"] = "source") -> pd.DataFrame:
    """Return events of assets as the assets linked with them see them: the part of each event in which the link is valid.

    Events of trucks become events of the parcels inside: a parcel has the part of the truck's event while it was in it.

    Parameters
    ----------
    events : DataFrame
        With ``asset``, ``start`` and ``end``.
    links : DataFrame
        Columns ``source, target, valid_from, valid_until`` (NaT: always before, or still valid), as `twinlab.Twin.relationships`
        and `links_from` return them.
    to : "source" or "target"
        Whose events are returned; ``events`` are those of the other side.

    Returns
    -------
    DataFrame
        One row for each event and linked asset, several if the link was interrupted. ``asset`` is the linked asset, the
        event's own one is in a column called after its side of the link (``target``). The id is the event's, "/" and the asset,
        and "@" and the start if it is only a part of the event. Other columns are those of the event.

    Raises
    ------
    SchemaError
        If ``links`` has not all its columns.

    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00", "2026-03-01 10:00"])
    >>> warm = pd.DataFrame({"event_id": ["w1"], "asset": ["truck 1"], "start": hour[:1], "end": hour[2:]})
    >>> inside = pd.DataFrame({"source": ["P1"], "target": ["truck 1"], "valid_from": hour[1:2], "valid_until": [pd.NaT]})
    >>> through(warm, inside)[["event_id", "asset", "target"]].values.tolist()
    [['w1/P1@2026-03-01T09:00:00.000000000', 'P1', 'truck 1']]
    """
    if to not in {"source", "target"}:
        msg = f"expected to='source' or to='target', got {to!r}"
        raise SchemaError(msg)
    lacking = [name for name in _COLUMNS if name not in links]
    if lacking:
        msg = f"links need the columns {', '.join(_COLUMNS)}; these have {', '.join(map(str, links.columns))}"
        raise SchemaError(msg)
    side = "target" if to == "source" else "source"
    valid = _joined(links)
    mine, theirs = spans_of(events, valid.rename(columns={side: "asset"}), instants=True)
    row, link = intersections(mine, theirs)
    start = np.maximum(mine.start[row], theirs.start[link])
    # An event without duration stays so.
    end = np.where(mine.end[row] - mine.start[row] == 1, start, np.minimum(mine.end[row], theirs.end[link]))
    linked = valid[to].take(link).array
    ids = (
        events["event_id"].take(row).to_numpy(dtype=object) + "/" + np.asarray(linked, dtype=object)
        if "event_id" in events
        else None
    )
    out = parts_of(events, row, start, end, ids=ids)
    return out.assign(**{side: out["asset"].array, "asset": linked})


def _joined(links: pd.DataFrame) -> pd.DataFrame:
    """Return links with ``start`` and ``end`` in place of their validity, each as long as it is valid without a break."""
    names = {"valid_from": "start", "valid_until": "end"}
    table = links[list(_COLUMNS)].rename(columns=names)
    table["start"] = table["start"].fillna(pd.Timestamp(ALWAYS))
    (spans,) = spans_of(table, by=["source", "target"])
    rows = np.flatnonzero((spans.key >= 0) & (spans.start < spans.end))
    union, place = merged(spans.take(rows))
    first = np.empty(len(union.key), dtype=np.int64)
    first[place] = rows
    # The begin of all time is an instant here, not NaT.
    times = {"start": union.start.view("datetime64[ns]"), "end": as_times(union.end)}
    return table[["source", "target"]].take(first).reset_index(drop=True).assign(**times)


def spans_of_both(
    events: pd.DataFrame, others: pd.DataFrame, by: Key, links: pd.DataFrame | None, *, instants: bool = False
) -> tuple[Spans, Spans]:
    """Return the times of two tables, of the other one through links if there are any; see `spans_of`."""
    mine, theirs = spans_of(events, others if links is None else through(others, links), by=by, instants=instants)
    return mine, theirs


def links_from(events: pd.DataFrame, target: str, *, source: str = "asset") -> pd.DataFrame:
    """Return a link of an event type as a relationship that is valid during the events.

    Parameters
    ----------
    events : DataFrame
        Events that name two assets, such as deliveries with the parcel in ``asset`` and the truck in ``truck``.
    target, source : str
        Columns with the two assets. Rows without one of them, or without a start, are left out.

    Returns
    -------
    DataFrame
        ``source, target, valid_from, valid_until``.

    Raises
    ------
    UnknownTermError
        If the events have no such column.

    >>> hour = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:00"])
    >>> delivery = pd.DataFrame({"asset": ["P1"], "van": ["V7"], "start": hour[:1], "end": hour[1:]})
    >>> links_from(delivery, "van")["target"].tolist()
    ['V7']
    """
    for name in (source, target):
        if name not in events:
            msg = f"events have no column {name!r} with assets{nearest(name, map(str, events.columns))}"
            raise UnknownTermError(msg)
    (spans,) = spans_of(events, by=[source, target])
    there = events[spans.key >= 0]
    names = {source: "source", target: "target", "start": "valid_from", "end": "valid_until"}
    return there[list(names)].rename(columns=names).reset_index(drop=True)
