"""The answer to "where is it?": place, plan against fact, story so far, what's ahead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab._html import html
from twinlab.events import plan_of, story, where
from twinlab.explore.charts.choices import readable_name
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
    from collections.abc import Mapping

    import numpy as np
    from markupsafe import Markup

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


#: Rows under a name: the first in sight, the others and ``earlier`` behind a line that opens them.
_ANSWER = (
    "{% macro line(row) %}"
    '<tr><td style="white-space:nowrap;width:1%">{{ row.time }}</td><td>{{ row.what }}{{ row.against }}'
    '{% if row.detail %}<br><span class="small">{{ row.detail }}</span>{% endif %}</td></tr>'
    "{% endmacro %}"
    "{% macro lines(rows, name, earlier) %}"
    '<table aria-label="{{ name }}">{% for row in rows[:open] %}{{ line(row) }}{% endfor %}</table>'
    "{% if rows | length > open %}"
    '<details><summary class="small" style="cursor:pointer;padding:3px 0">{{ rows | length - open }} more</summary>'
    '<table aria-label="{{ name }}, more">{% for row in rows[open:] %}{{ line(row) }}{% endfor %}</table>'
    "{% endif %}"
    '{% if earlier %}<p class="small">and {{ earlier }} earlier</p>{% endif %}'
    "{% if rows | length > open %}</details>{% endif %}"
    "{% endmacro %}"
    '{{ style }}<article class="card" style="max-width:none"><h2>{{ found.label }}</h2>'
    '<p class="small">{{ kind }} · {{ when }}</p>'
    "{% for one in exceptions %}"
    '<div class="wrong" style="border-color:{{ one.color }}"><b>{{ one.symbol }} {{ one.severity }} · {{ one.title }}</b>'
    ' {{ one.value }} <span class="small">since {{ one.since }}</span></div>'
    "{% endfor %}"
    '<div style="display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:0 28px">'
    "{% if place %}{{ place }}{% else %}"
    "<section><h3>Where it is</h3><p>Nothing says where it is at this time.</p></section>{% endif %}"
    "{% if plan or ahead %}<section>"
    '{% if plan %}<h3>Planned against actual (UTC)</h3><table aria-label="Planned against actual">'
    '{% for label, text in plan %}<tr><th scope="row">{{ label }}</th><td class="n">{{ text }}</td></tr>{% endfor %}</table>'
    "{% endif %}"
    "{% if ahead %}<h3>What's ahead (UTC)</h3>{{ lines(ahead, \"What's ahead\", 0) }}{% endif %}"
    "</section>{% endif %}"
    "{% if story %}<section><h3>Its story so far (UTC, newest first)</h3>{{ lines(story, 'Its story so far', earlier) }}</section>"
    "{% endif %}"
    "</div></article>"
)


def found_html(found: Found, model: TwinModel, labels: Mapping[str, Mapping[str, str]]) -> Markup:
    """Return the answer as HTML."""
    story_rows = [_line(row) for row in records(found.story.tail(_STEPS).iloc[::-1])]
    earlier = len(found.story) - len(story_rows)
    return html(
        _ANSWER,
        style=STYLE,
        found=found,
        kind=model.asset_types[found.asset_type].title or readable_name(found.asset_type),
        when="nothing has come yet" if found.at is None else f"as of {time_text(found.at)} UTC",
        exceptions=[_exception(row, model) for row in records(found.exceptions)],
        place=place_html(found.place, labels, heading="Where it is"),
        plan=_plan(found, model),
        ahead=[_line(row) for row in records(found.ahead.head(_STEPS))],
        story=story_rows,
        earlier=f"{earlier:,}" if earlier else "",
        open=_OPEN,
    )


def _exception(row: Mapping[str, Any], model: TwinModel) -> dict[str, str]:
    """One exception as text, with its colour and symbol."""
    severity = str(row["severity"])
    return {
        "severity": severity,
        "color": SEVERITY_COLORS.get(severity, "currentColor"),
        "symbol": SEVERITY_SYMBOLS.get(severity, ""),
        "title": str(row["title"]),
        "value": value_and_limit(row, model)["value"],
        "since": time_text(row["since"]),
    }


def _plan(found: Found, model: TwinModel) -> list[tuple[str, str]]:
    """The event in progress against its plan: label and text of each row; empty without such an event."""
    event = None if found.place is None else found.place.event
    if event is None:
        return []
    title = model.event_types[event.event_type].title or readable_name(event.event_type)
    times = (("began", event.start), ("planned start", event.planned_start), ("planned end", event.planned_end))
    return [
        ("event", f"{title} {event.event_id}"),
        ("against plan", _late_words(event.late)),
        *((label, time_text(when)) for label, when in times if when is not None),
    ]


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


def _line(row: Mapping[str, Any]) -> dict[str, str]:
    """One thing that happened or will: when, what, in detail, against its plan."""
    what, detail = str(row["what"]), str(row["detail"])
    late = row["late"]
    against = "" if pd.isna(late) else f" · {_late_words(pd.Timedelta(late))}"
    # "stored at" followed by "stored at EAST" would say it twice.
    what, detail = (detail, "") if detail.startswith(what) else (what, detail)
    return {"time": time_text(row["time"]), "what": what, "against": against, "detail": detail}
