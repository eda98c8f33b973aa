"""Predicted times of events as HTML, for an asset's card, a search result, and the list of what will probably be late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from twinlab._html import html
from twinlab.explore.charts.choices import readable_name
from twinlab.explore.kit.arrivals.predicted import arrival_text, issued_text
from twinlab.explore.kit.exception_text import age_text, records
from twinlab.languages import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from twinlab.model.twinmodel import TwinModel

__all__ = ["arrivals_html", "late_html"]

#: Lines that are visible without a click.
_OPEN = 4
_LATE_OPEN = 5
_LINES = """\
{% macro line(row) %}<tr{% if row.stale %} class="stale"{% endif %}><td><b>{{ row.text }}</b>{% if row.what %} · {{ row.what }}{% endif %}\
{% if row.chance %}<br>{{ row.chance }}{% endif %}{% if row.reason %}<br><span class="small">{{ row.reason }}</span>{% endif %}\
<br><span class="small">{{ row.issued }}{% if row.stale %} · stale{% endif %}</span></td></tr>{% endmacro %}\
{% if rows %}<section><h3>{{ heading }}</h3><table aria-label="{{ heading }}">{% for row in rows[:open] %}{{ line(row) }}{% endfor %}</table>\
{% if rows | length > open %}<details><summary class="small" style="cursor:pointer;padding:3px 0">{{ rows | length - open }} more</summary>\
<table aria-label="{{ heading }}, more">{% for row in rows[open:] %}{{ line(row) }}{% endfor %}</table></details>{% endif %}</section>{% endif %}"""


def arrivals_html(table: pd.DataFrame, model: TwinModel, *, at: np.datetime64 | None) -> Markup:
    """Return when the events of an asset will end, in order of planned time; empty without a prediction.

    Parameters
    ----------
    table : DataFrame
        As `twinlab.explore.kit.arrivals.predicted.arrivals_of` returns it.
    model : TwinModel
    at : datetime64
        Instant that is shown.
    """
    if at is None or table.empty:
        return Markup()
    rows = [_line(row, model, at) for row in records(table)]
    return html(_LINES, heading=tr("Predicted (UTC)"), rows=rows, open=_OPEN)


def late_html(table: pd.DataFrame, model: TwinModel, *, at: np.datetime64 | None) -> Markup:
    """Return the events that are probably late, the longest delay first; empty without any.

    Parameters
    ----------
    table : DataFrame
        As `twinlab.explore.kit.arrivals.predicted.probably_late` returns it.
    """
    if at is None or table.empty:
        return Markup()
    rows = [_line(row, model, at) for row in records(table)]
    return html(_LINES, heading=tr("Probably late: {count} (UTC)", count=len(rows)), rows=rows, open=_LATE_OPEN)


def _line(row: Mapping[str, Any], model: TwinModel, at: np.datetime64) -> dict[str, Any]:
    issued, stale = issued_text(row, at=at)
    late = row["late"]
    told = not row["cant_tell"]
    reason = str(row["reason"]) if told and isinstance(row["reason"], str) else ""
    expected = "" if not told else _expected(row)
    chance = (
        tr("{late:.0%} probability of {margin} or more", late=late, margin=row["margin"])
        if told and not pd.isna(late)
        else ""
    )
    return {
        "text": arrival_text(row, model, at=at),
        "what": _what(row, model),
        "chance": "; ".join(filter(None, [expected, chance])),
        "reason": tr("because: {reason}", reason=reason) if reason else "",
        "issued": issued,
        "stale": stale,
    }


def _expected(row: Mapping[str, Any]) -> str:
    late = pd.Timestamp(row["expected"]) - pd.Timestamp(row["planned"])
    if abs(late) < pd.Timedelta(minutes=1):
        return tr("expected on time")
    return f"expected {age_text(abs(late))} {'late' if late > pd.Timedelta(0) else 'early'}"


def _what(row: Mapping[str, Any], model: TwinModel) -> str:
    """Return the event, or the number of events that are one journey, with what they link to."""
    kind = str(row["event_type"])
    spec = model.event_types[kind]
    title = spec.title or readable_name(kind)
    several = int(row["events"]) > 1
    name = f"{title} {row['event_id']}" if not several else f"{title}, {row['events']:,} of them"
    places = [str(row[one]) for one in ("origin", "destination") if one in spec.links and row.get(one)]
    others = [str(row[one]) for one in spec.links if one not in ("origin", "destination") and row.get(one)]
    return " · ".join(filter(None, [name, " → ".join(places), *others]))
