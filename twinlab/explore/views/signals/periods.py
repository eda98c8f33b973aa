"""Selection of comparison periods: by the clock, or those of earlier events of the same kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.explore.views.signals.compare import Period, Shift, parse_shift, period_text
from twinlab.languages import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twinlab.explore.charts.reading import Window
    from twinlab.model.twinmodel import EventType

__all__ = ["Anchor", "clock_period", "event_periods", "parse_anchor", "shift_to"]

#: Number of earlier events that are drawn with the selected one.
PREVIOUS = 3


@dataclass(frozen=True)
class Anchor:
    """The event whose start is the origin of the time axis."""

    event_type: str
    event_id: str

    @property
    def text(self) -> str:
        """The text in a link."""
        return f"event:{self.event_type}:{self.event_id}"


def parse_anchor(text: str) -> Anchor:
    """Parse ``event:<event type>:<event id>``.

    Raises
    ------
    SchemaError
        If the text has another form.

    >>> parse_anchor("event:trip:trip-7").event_id
    'trip-7'
    """
    word, _, rest = text.partition(":")
    event_type, _, event_id = rest.partition(":")
    if word != "event" or not event_type or not event_id:
        msg = f"expected compare=event:<event type>:<event id>, got {text!r}"
        raise SchemaError(msg)
    return Anchor(event_type, event_id)


def clock_period(text: str, window: Window) -> Period:
    """Return the comparison period of a window for a shift, with its days as label.

    >>> clock_period("-7d", (np.datetime64("2026-03-12", "ns"), np.datetime64("2026-03-19", "ns"))).label
    'a week earlier, 5–11 Mar 2026'
    """
    shift = parse_shift(text)
    own = shift.own_times(np.array(window, "datetime64[ns]"))
    if np.isnat(own).any():
        return Period(shift, shift.title)
    return Period(shift, f"{shift.title}, {period_text((own[0], own[1]))}")


def shift_to(start: object, window: Window) -> str:
    """Return the shift from the start of a window to another start.

    >>> shift_to("2026-03-05", (np.datetime64("2026-03-12", "ns"), np.datetime64("2026-03-19", "ns")))
    '-7d'
    """
    there = pd.Timestamp(start).as_unit("ns").value  # type: ignore[arg-type]
    seconds = (there - pd.Timestamp(window[0]).as_unit("ns").value) // 10**9
    sign, size = ("-" if seconds < 0 else "+"), abs(seconds)
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if size % length == 0:
            return f"{sign}{size // length}{unit}"
    return f"{sign}{size}s"


def event_periods(
    table: pd.DataFrame, anchor: Anchor, spec: EventType, *, asset_type: str, assets: Sequence[str]
) -> tuple[np.datetime64, tuple[Period, ...]]:
    """Return the start of an event, and the periods of earlier events with the same key.

    The key is the asset or link of the event that is a drawn asset, else the first one that is set.

    Parameters
    ----------
    table : DataFrame
        Events of one type: ``event_id``, ``asset``, ``start``, ``planned_start`` and the links.

    Raises
    ------
    SchemaError
        If the event isn't in the table, or has no start.
    """
    selected = table["event_id"].astype("str") == anchor.event_id
    rows = table[selected]
    if rows.empty:
        msg = tr(
            "there is no {value} {event_id!r}; choose one in the table",
            value=anchor.event_type.replace("_", " "),
            event_id=anchor.event_id,
        )
        raise SchemaError(msg)
    row = rows.iloc[0]
    begin = table["start"].fillna(table["planned_start"])
    zero = begin[selected].iloc[0]
    if pd.isna(zero):
        msg = tr("{event_id} has no start yet, so nothing can be aligned by it", event_id=anchor.event_id)
        raise SchemaError(msg)
    same = begin < zero
    key = _key(row, spec, asset_type, assets)
    if key is not None:
        same &= table[key].astype("str") == str(row[key])
    before = begin[same].sort_values(ascending=False).iloc[:PREVIOUS]
    return zero.to_datetime64().astype("datetime64[ns]"), tuple(_period(start, zero) for start in before)


def _key(row: pd.Series, spec: EventType, asset_type: str, assets: Sequence[str]) -> str | None:
    ends = {"asset": spec.asset, **spec.links}
    named = [name for name, kind in ends.items() if kind is not None and name in row and not pd.isna(row[name])]
    fits = [name for name in named if ends[name] == asset_type and str(row[name]) in assets]
    return next(iter([*fits, *named]), None)


def _period(start: pd.Timestamp, zero: pd.Timestamp) -> Period:
    ns = int((zero - start).value)
    shift = Shift(f"-{ns // 10**9}s", -(ns // 10**9), "s") if ns % 10**9 == 0 else Shift(f"-{ns}ns", -ns, "ns")
    return Period(shift, tr("event of {day} {start:%b %Y %H:%M}", day=start.day, start=start))
