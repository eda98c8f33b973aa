"""Result of a search for an asset: its place, exceptions, plan against actual times, past and planned events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab._html import html
from twinlab.events import plan_of, story, where
from twinlab.explore.charts.choices import readable_name
from twinlab.explore.kit.arrivals.html import arrivals_html
from twinlab.explore.kit.arrivals.predicted import arrivals_at, arrivals_of
from twinlab.explore.kit.exception_text import (
    SEVERITY_COLORS,
    SEVERITY_NAMES,
    SEVERITY_SYMBOLS,
    age_text,
    records,
    time_text,
    value_and_limit,
)
from twinlab.explore.kit.present import now_at
from twinlab.explore.views.card.html import STYLE, place_html
from twinlab.languages import local_number, tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from markupsafe import Markup

    from twinlab.events import Place
    from twinlab.explore.kit.session import Shared
    from twinlab.model.twinmodel import TwinModel

__all__ = ["SearchResult", "read_result", "result_html"]

#: Most lines of past and of planned events, and how many are visible without a click.
_STEPS, _OPEN = 12, 4


@dataclass(frozen=True)
class SearchResult:
    """What is known of one asset at an instant."""

    asset_type: str
    asset: str
    label: str
    at: np.datetime64 | None
    place: Place | None = None
    exceptions: pd.DataFrame = field(default_factory=pd.DataFrame)
    #: Past and planned events, as `twinlab.events.story` and `twinlab.events.plan_of` return them.
    story: pd.DataFrame = field(default_factory=pd.DataFrame)
    ahead: pd.DataFrame = field(default_factory=pd.DataFrame)
    #: As `twinlab.explore.kit.arrivals.predicted.arrivals_of` returns them.
    arrivals: pd.DataFrame = field(default_factory=pd.DataFrame)


def read_result(shared: Shared, asset_type: str, asset: str, *, at: np.datetime64 | None) -> SearchResult:
    """Return what is known of an asset at an instant.

    Raises
    ------
    UnknownTermError
        If the twin has no such asset.
    """
    twin, now = shared.reader, now_at(shared, at)
    label = shared.labels(asset_type).get(asset, asset)
    if now.at is None:
        return SearchResult(asset_type, asset, label, None)
    exceptions = now.exceptions
    if len(exceptions):
        exceptions = exceptions[(exceptions["asset_type"] == asset_type) & (exceptions["asset"].astype(str) == asset)]
    return SearchResult(
        asset_type,
        asset,
        label,
        now.at,
        place=where(twin, asset_type, asset, at=now.at),
        exceptions=exceptions,
        story=story(twin, asset_type, asset, at=now.at),
        ahead=plan_of(twin, asset_type, asset, at=now.at),
        arrivals=arrivals_of(arrivals_at(shared, now.at), twin.model, asset_type, asset),
    )


#: A list shows its first lines; a ``<details>`` element has the others and the number of ``earlier`` events.
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
    "{{ arrivals }}"
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


def result_html(found: SearchResult, model: TwinModel, labels: Mapping[str, Mapping[str, str]]) -> Markup:
    """Return the result as HTML."""
    story_rows = [_line(row) for row in records(found.story.tail(_STEPS).iloc[::-1])]
    earlier = len(found.story) - len(story_rows)
    return html(
        _ANSWER,
        style=STYLE,
        found=found,
        kind=model.asset_types[found.asset_type].title or readable_name(found.asset_type),
        when=tr("no data yet") if found.at is None else tr("as of {at} UTC", at=time_text(found.at)),
        exceptions=[_exception(row, model) for row in records(found.exceptions)],
        place=place_html(found.place, labels, heading=tr("Where it is")),
        arrivals=arrivals_html(found.arrivals, model, at=found.at),
        plan=_plan(found, model),
        ahead=[_line(row) for row in records(found.ahead.head(_STEPS))],
        story=story_rows,
        earlier=local_number(f"{earlier:,}") if earlier else "",
        open=_OPEN,
    )


def _exception(row: Mapping[str, Any], model: TwinModel) -> dict[str, str]:
    """Return one exception as text, with its colour and symbol."""
    severity = str(row["severity"])
    return {
        "severity": tr(SEVERITY_NAMES.get(severity, severity)),
        "color": SEVERITY_COLORS.get(severity, "currentColor"),
        "symbol": SEVERITY_SYMBOLS.get(severity, ""),
        "title": str(row["title"]),
        "value": value_and_limit(row, model)["value"],
        "since": time_text(row["since"]),
    }


def _plan(found: SearchResult, model: TwinModel) -> list[tuple[str, str]]:
    """Return the event in progress against its plan, label and text of each row; empty without such an event."""
    event = None if found.place is None else found.place.event
    if event is None:
        return []
    title = model.event_types[event.event_type].title or readable_name(event.event_type)
    times = (("began", event.start), (tr("planned start"), event.planned_start), (tr("planned end"), event.planned_end))
    return [
        ("event", f"{title} {event.event_id}"),
        (tr("against plan"), _late_text(event.late)),
        *((label, time_text(when)) for label, when in times if when is not None),
    ]


def _late_text(late: pd.Timedelta | None) -> str:
    """Return the difference between actual and planned time as text.

    >>> _late_text(pd.Timedelta(minutes=12)), _late_text(pd.Timedelta(minutes=-3)), _late_text(pd.Timedelta(0))
    ('12 min late', '3 min early', 'on time')
    """
    if late is None or pd.isna(late):
        return tr("no plan")
    if abs(late) < pd.Timedelta(minutes=1):
        return tr("on time")
    return f"{age_text(abs(late))} {'late' if late > pd.Timedelta(0) else 'early'}"


def _line(row: Mapping[str, Any]) -> dict[str, str]:
    """Return one past or planned event as text: time, what, detail, difference to the plan."""
    what, detail = str(row["what"]), str(row["detail"])
    late = row["late"]
    against = "" if pd.isna(late) else f" · {_late_text(pd.Timedelta(late))}"
    # Not "stored at" followed by "stored at EAST".
    what, detail = (detail, "") if detail.startswith(what) else (what, detail)
    return {"time": time_text(row["time"]), "what": what, "against": against, "detail": detail}
