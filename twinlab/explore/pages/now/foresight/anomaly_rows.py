"""Open anomaly events at an instant, worst first, and what is wrong with the watch of a type, as HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from markupsafe import Markup

from twinlab._html import html
from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.exception_text import age_text, records, time_text
from twinlab.languages import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from twinlab.explore.kit.session import Shared
    from twinlab.model.twinmodel import TwinModel

__all__ = ["OpenAnomalies", "anomalies_html", "event_name", "read_anomalies"]

#: Events that are visible without a click.
_OPEN: Final = 3
_LIST = """\
{% macro line(row) %}<tr><td><b>{{ row.symbol }} {{ row.name }}</b> · {{ row.kind }} · {{ row.size }}\
<br>{{ row.signals }}<br><span class="small">{{ row.when }}</span></td></tr>{% endmacro %}\
<section><h3>{{ heading }}</h3>{% if rows %}<table aria-label="{{ heading }}">{% for row in rows[:open] %}{{ line(row) }}{% endfor %}</table>\
{% if rows | length > open %}<details><summary class="small" style="cursor:pointer;padding:3px 0">{{ rows | length - open }} more</summary>\
<table aria-label="{{ heading }}, more">{% for row in rows[open:] %}{{ line(row) }}{% endfor %}</table></details>{% endif %}\
{% else %}<p>✓ Nothing unusual that nobody has judged.</p>{% endif %}\
{% for text in notes %}<p class="small">{{ text }}</p>{% endfor %}</section>"""


@dataclass(frozen=True)
class OpenAnomalies:
    """Events that nobody has judged yet."""

    at: pd.Timestamp | None = None
    rows: Sequence[Mapping[str, Any]] = ()
    """Worst first: ``id, asset_type, asset, start, end`` (NaT while it goes on)``, sustained, signals``."""
    watched: tuple[str, ...] = ()
    """Asset types."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """Asset type -> why its rows aren't scored."""
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Asset type -> asset -> name."""


def read_anomalies(shared: Shared, at: np.datetime64 | None) -> OpenAnomalies:
    """Return the events that had begun by an instant and are open now; empty of a twin that watches nothing."""
    found: Any = getattr(shared.twin, "anomaly_events", None)
    if found is None or at is None:
        return OpenAnomalies()
    try:
        status, table = found.status(), found.table(status="open")
    except READING_ERRORS as error:
        return OpenAnomalies(pd.Timestamp(at), faults={"anomalies": str(error)})
    when = pd.Timestamp(at)
    table = table[(table["start"] <= when) & table["found"] & table["asset_type"].isin(shared.twin.model.asset_types)]
    # An event that ended later was going on then.
    table = table.assign(end=table["end"].where(table["end"] <= when))
    order = table.assign(over=table["end"].notna()).sort_values(
        ["over", "sustained"], ascending=[True, False], kind="stable"
    )
    faults = {row["asset_type"]: row["error"] for row in records(status) if row["error"]}
    kinds = dict.fromkeys(map(str, table["asset_type"]))
    return OpenAnomalies(
        when,
        records(order),
        tuple(map(str, status["asset_type"])),
        faults,
        {kind: shared.labels(kind) for kind in kinds},
    )


def anomalies_html(found: OpenAnomalies, model: TwinModel) -> Markup:
    """Return the list; empty of a twin that watches nothing."""
    if not found.watched and not found.rows and not found.faults:
        return Markup()
    kinds = ", ".join(_kind(model, one).lower() for one in found.watched)
    notes = [tr("Watched: {kinds}.", kinds=kinds)] if kinds else []
    notes += [
        tr("Rows of {kind} aren't scored: {text}", kind=_kind(model, kind).lower(), text=text)
        for kind, text in found.faults.items()
    ]
    rows = [_line(row, found, model) for row in found.rows]
    heading = tr("Unusual: {count} not judged (UTC)", count=len(rows)) if rows else tr("Unusual")
    return html(_LIST, heading=heading, rows=rows, open=_OPEN, notes=notes)


def event_name(row: Mapping[str, Any], found: OpenAnomalies) -> str:
    """Return an event in a few words, for a list to choose from."""
    kind, asset = str(row["asset_type"]), str(row["asset"])
    return tr(
        "{asset}, since {start}", asset=found.labels.get(kind, {}).get(asset, asset), start=time_text(row["start"])
    )


def _line(row: Mapping[str, Any], found: OpenAnomalies, model: TwinModel) -> dict[str, Any]:
    kind, asset, over = str(row["asset_type"]), str(row["asset"]), not pd.isna(row["end"])
    until = pd.Timestamp(row["end"]) if over or found.at is None else found.at
    lasted = age_text(until - pd.Timestamp(row["start"]))
    state = tr("lasted {lasted}", lasted=lasted) if over else tr("for {lasted} so far", lasted=lasted)
    return {
        "symbol": "◇" if over else "◆",
        "name": found.labels.get(kind, {}).get(asset, asset),
        "kind": _kind(model, kind),
        "size": tr("{sustained:.3g} times the limit", sustained=row["sustained"]),
        "signals": tr("by {signals}", signals=row["signals"]) if row["signals"] else "",
        "when": tr(
            "{state}, since {start}, most at {peak_time}",
            state=state,
            start=time_text(row["start"]),
            peak_time=time_text(row["peak_time"]),
        ),
    }


def _kind(model: TwinModel, name: str) -> str:
    spec = model.asset_types.get(name)
    return readable_name(name) if spec is None or spec.title is None else spec.title
