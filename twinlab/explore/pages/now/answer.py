"""The answer to "where is it?": place, plan against fact, story so far, what's ahead."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab.events import plan_of, story, where
from twinlab.explore.charts.choices import words
from twinlab.explore.kit.exception_text import (
    SEVERITY_COLORS,
    SEVERITY_SYMBOLS,
    age_text,
    records,
    time_text,
    value_and_limit,
)
from twinlab.explore.kit.present import now_at
from twinlab.explore.views.card.html import STYLE, place_html

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from twinlab.events import Place
    from twinlab.explore.kit.session import Shared
    from twinlab.model.twinmodel import TwinModel

__all__ = ["Found", "found_html", "read_found"]

#: Most lines of a story and of a plan, and how many of them stand open: what needs somebody should stay in sight.
_STEPS, _OPEN = 12, 4


@dataclass(frozen=True)
class Found:
    """One asset that was looked for."""

    asset_type: str
    asset: str
    label: str
    at: np.datetime64 | None
    place: Place | None = None
    exceptions: pd.DataFrame = field(default_factory=pd.DataFrame)
    #: What happened, and what is planned, as `twinlab.events.story` and `twinlab.events.plan_of` tell it.
    story: pd.DataFrame = field(default_factory=pd.DataFrame)
    ahead: pd.DataFrame = field(default_factory=pd.DataFrame)


def read_found(shared: Shared, asset_type: str, asset: str, *, at: np.datetime64 | None) -> Found:
    """Return what there is to tell of an asset at an instant.

    Raises
    ------
    UnknownTermError
        If the twin doesn't know it.
    """
    twin, now = shared.reader, now_at(shared, at)
    label = shared.labels(asset_type).get(asset, asset)
    if now.at is None:
        return Found(asset_type, asset, label, None)
    mine = now.exceptions
    if len(mine):
        mine = mine[(mine["asset_type"] == asset_type) & (mine["asset"].astype(str) == asset)]
    return Found(
        asset_type,
        asset,
        label,
        now.at,
        place=where(twin, asset_type, asset, at=now.at),
        exceptions=mine,
        story=story(twin, asset_type, asset, at=now.at),
        ahead=plan_of(twin, asset_type, asset, at=now.at),
    )


def found_html(found: Found, model: TwinModel, labels: Mapping[str, Mapping[str, str]]) -> str:
    """Return the answer as HTML."""
    kind = model.asset_types[found.asset_type].title or words(found.asset_type)
    when = "nothing has come yet" if found.at is None else f"as of {time_text(found.at)} UTC"
    body = [
        f'{STYLE}<article class="card" style="max-width:none"><h2>{escape(found.label)}</h2>',
        f'<p class="small">{escape(kind)} · {when}</p>',
        _wrong(found, model),
        '<div style="display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:0 28px">',
        place_html(found.place, labels, heading="Where it is") or _nowhere(),
        _plan(found, model),
        _story(found),
        "</div></article>",
    ]
    return "".join(body)


def _nowhere() -> str:
    return "<section><h3>Where it is</h3><p>Nothing says where it is at this time.</p></section>"


def _wrong(found: Found, model: TwinModel) -> str:
    out = []
    for row in records(found.exceptions):
        severity = str(row["severity"])
        measure = value_and_limit(row, model)["value"]
        out.append(
            f'<div class="wrong" style="border-color:{SEVERITY_COLORS.get(severity, "currentColor")}">'
            f"<b>{SEVERITY_SYMBOLS.get(severity, '')} {escape(severity)} · {escape(str(row['title']))}</b> {escape(measure)}"
            f' <span class="small">since {time_text(row["since"])}</span></div>'
        )
    return "".join(out)


def _plan(found: Found, model: TwinModel) -> str:
    """The event it's in against its plan, and what's ahead."""
    event = None if found.place is None else found.place.event
    told = ""
    if event is not None:
        title = model.event_types[event.event_type].title or words(event.event_type)
        rows = [("event", f"{title} {event.event_id}"), ("against plan", _late_words(event.late))]
        times = (("began", event.start), ("planned start", event.planned_start), ("planned end", event.planned_end))
        rows += [(word, time_text(when)) for word, when in times if when is not None]
        told = "".join(
            f'<tr><th scope="row">{escape(word)}</th><td class="n">{escape(text)}</td></tr>' for word, text in rows
        )
        told = f'<h3>Planned against actual (UTC)</h3><table aria-label="Planned against actual">{told}</table>'
    ahead = _list([_line(row) for row in records(found.ahead.head(_STEPS))], "What's ahead")
    if ahead:
        ahead = f"<h3>What's ahead (UTC)</h3>{ahead}"
    return f"<section>{told}{ahead}</section>" if told or ahead else ""


def _late_words(late: pd.Timedelta | None) -> str:
    """How an event stands against its plan.

    >>> _late_words(pd.Timedelta(minutes=12)), _late_words(pd.Timedelta(minutes=-3)), _late_words(pd.Timedelta(0))
    ('12 min late', '3 min early', 'on time')
    """
    if late is None or pd.isna(late):
        return "no plan"
    if abs(late) < pd.Timedelta(minutes=1):
        return "on time"
    return f"{age_text(abs(late))} {'late' if late > pd.Timedelta(0) else 'early'}"


def _line(row: Mapping[str, Any]) -> str:
    """One thing that happened or will: when, what, in detail, against its plan."""
    what, detail = str(row["what"]), str(row["detail"])
    late = row["late"]
    against = "" if pd.isna(late) else f" · {_late_words(pd.Timedelta(late))}"
    # "stored at" with "stored at EAST" behind it is said once.
    said, more = (detail, "") if detail.startswith(what) else (what, detail)
    small = f'<br><span class="small">{escape(more)}</span>' if more else ""
    return (
        f'<tr><td style="white-space:nowrap;width:1%">{time_text(row["time"])}</td>'
        f"<td>{escape(said)}{against}{small}</td></tr>"
    )


def _story(found: Found) -> str:
    if not len(found.story):
        return ""
    rows = [_line(row) for row in records(found.story.tail(_STEPS).iloc[::-1])]
    left = len(found.story) - len(rows)
    more = f'<p class="small">and {left:,} earlier</p>' if left > 0 else ""
    return (
        f"<section><h3>Its story so far (UTC, newest first)</h3>{_list(rows, 'Its story so far', more=more)}</section>"
    )


def _list(rows: Sequence[str], name: str, *, more: str = "") -> str:
    """Rows under a name: the first stand open, the others and ``more`` behind a line that opens them."""
    if not rows:
        return ""
    table = f'<table aria-label="{name}">{"".join(rows[:_OPEN])}</table>'
    rest = rows[_OPEN:]
    if not rest:
        return table + more
    return (
        f'{table}<details><summary class="small" style="cursor:pointer;padding:3px 0">{len(rest)} more</summary>'
        f'<table aria-label="{name}, more">{"".join(rest)}</table>{more}</details>'
    )
