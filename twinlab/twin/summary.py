"""The summary of a twin: stable text for terminals, HTML for notebooks. Neither reads any chunk of history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, Unpack

import numpy as np

from twinlab._html import html
from twinlab.model.flags import Flag
from twinlab.twin.questions import count_text
from twinlab.twin.report import format_bytes, format_count

if TYPE_CHECKING:
    from markupsafe import Markup

    from twinlab.history import HistoryReader
    from twinlab.model.twinmodel import Signal, TwinModel
    from twinlab.twin.retention.forecast import StorageForecast

__all__ = ["SignalSummary", "signal_summaries", "summary_html", "summary_text"]

_CSS = (
    ".tl-twin{font:13px system-ui,sans-serif}.tl-twin table{border-collapse:collapse;margin:4px 0 10px}"
    ".tl-twin th,.tl-twin td{padding:2px 12px 2px 0;text-align:left;border:0}"
    ".tl-twin .n{text-align:right;font-variant-numeric:tabular-nums}"
    ".tl-twin .bar{display:inline-block;width:80px;height:9px;white-space:nowrap;overflow:hidden;"
    "background:repeating-linear-gradient(45deg,#ddd,#ddd 2px,#fff 2px,#fff 4px)}"
    ".tl-twin .bar span{display:inline-block;height:9px;vertical-align:top}"
)
#: Okabe-Ito colours; the counts are shown as numbers, too, so that nothing depends on colour alone.
_PRESENT = (Flag.PASS, Flag.SUSPECT, Flag.FAIL)
_COLORS = {Flag.PASS: "#009E73", Flag.SUSPECT: "#E69F00", Flag.FAIL: "#D55E00"}


@dataclass(frozen=True)
class SignalSummary:
    """One signal over all assets of its type, from its first to its last value."""

    asset_type: str
    name: str
    spec: Signal
    counts: dict[Flag, int]
    last: np.datetime64 | None

    @property
    def present(self) -> int:
        """Number of cells with a value."""
        return sum(self.counts.get(flag, 0) for flag in _PRESENT)

    @property
    def coverage(self) -> float:
        """Share of the evaluated cells that have a value, 0 to 1."""
        evaluated = self.present + self.counts.get(Flag.MISSING, 0)
        return self.present / evaluated if evaluated else 0.0


def signal_summaries(model: TwinModel, reader: HistoryReader) -> list[SignalSummary]:
    """Return one summary per signal, from the coarsest rollups."""
    counts, extents = reader.flag_counts(), reader.value_extents()
    out = []
    for asset_type, kind in model.asset_types.items():
        for name, spec in kind.signals.items():
            found, extent = counts.get((asset_type, name), {}), extents.get((asset_type, name))
            if extent is not None:
                # Cells before a signal's first value aren't missing: it wasn't recorded yet.
                found = found | {Flag.MISSING: extent.missing}
            out.append(SignalSummary(asset_type, name, spec, found, None if extent is None else extent.last))
    return out


def _instant(time: np.datetime64 | None) -> str:
    return "–" if time is None else str(time.astype("datetime64[m]")).replace("T", " ")


def _unit(spec: Signal) -> str:
    return "state" if spec.kind == "state" else spec.unit


class SummaryParts(TypedDict, total=False):
    """What a summary shows beside the model and its data."""

    questions: int
    """Number of open questions."""
    notes: Sequence[str]
    """Sentences to know."""
    edits: Sequence[str]
    """Sentences about definitions that aren't applied, or can't be."""
    storage: StorageForecast | None
    """What its storage amounts to."""


def summary_text(model: TwinModel, reader: HistoryReader, **parts: Unpack[SummaryParts]) -> str:
    """Return a twin's summary as text that is the same on every machine: no paths, no ages; sizes only in ``storage``."""
    questions = parts.get("questions", 0)
    lines = [f"<Twin {model.twin}>" + (f" {model.title}" if model.title else "")]
    summaries = signal_summaries(model, reader)
    cells = _aligned([_signal_text(one) for one in summaries])
    for asset_type in model.asset_types:
        lines.append(f"  {asset_type}: {_count(reader.asset_count(asset_type), 'asset')}")
        lines += [f"    {text}" for one, text in zip(summaries, cells, strict=True) if one.asset_type == asset_type]
    lines += [f"  {name}: {_count(reader.event_count(name), 'event')}" for name in model.event_types]
    lines += [f"  {_open(questions)}"] if questions else []
    storage = parts.get("storage")
    lines += [f"  {storage.line}"] if storage is not None else []
    lines += [f"  {text}" for text in (*parts.get("notes", ()), *parts.get("edits", ()))]
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{format_count(number)} {noun}{'' if number == 1 else 's'}"


def _open(questions: int) -> str:
    return f"{count_text(questions)}: twin.questions() lists them with their place in YAML"


def _signal_text(one: SignalSummary) -> tuple[str, ...]:
    return (
        one.name,
        _unit(one.spec),
        one.spec.cadence,
        f"to {_instant(one.last)}",
        f"coverage {one.coverage:4.0%}",
        f"suspect {one.counts.get(Flag.SUSPECT, 0)}",
        f"fail {one.counts.get(Flag.FAIL, 0)}",
    )


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Return rows of text as lines in which each column starts at the same place.

    >>> _aligned([("level", "m"), ("temperature", "degC")])
    ['level        m', 'temperature  degC']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


_SUMMARY = (
    f"<style>{_CSS}</style>"
    """\
<div class=tl-twin><div style='font-size:15px'><b>{{ title }}</b></div>\
<div style='opacity:.75'>{{ size }}</div>{% if storage %}<div style='opacity:.75'>{{ storage }}</div>{% endif %}\
{% for kind in kinds %}<div><b>{{ kind.title }}</b> <code>{{ kind.name }}</code>: {{ kind.count }}</div>\
{% if kind.signals %}<table><tr><th>signal</th><th>unit</th><th>every</th><th>data to (UTC)</th><th>coverage</th><th></th>\
<th class=n>suspect</th><th class=n>fail</th></tr>\
{% for one in kind.signals %}<tr><td title='{{ one.definition }}'>{{ one.name }}</td><td>{{ one.unit }}</td>\
<td>{{ one.cadence }}</td><td>{{ one.last }}</td><td class=n>{{ one.coverage }}</td>\
<td><span class=bar title='{{ one.hover }}'>\
{% for width, color in one.bar %}<span style='width:{{ width }}px;background:{{ color }}'></span>{% endfor %}</span></td>\
<td class=n>{{ one.suspect }}</td><td class=n>{{ one.fail }}</td></tr>{% endfor %}</table>{% endif %}{% endfor %}\
{% for event in events %}<div><b>{{ event.title }}</b> <code>{{ event.name }}</code>: {{ event.count }}</div>\
{% endfor %}{% if asked %}<div style='margin-top:6px'><b>{{ asked }}</b></div>{% endif %}\
{% for note in notes %}<div style='margin-top:6px'>{{ note }}</div>{% endfor %}\
{% for text in edits %}<div style='margin-top:6px'><b>&#9888; {{ text }}</b></div>{% endfor %}</div>"""
)


def summary_html(model: TwinModel, reader: HistoryReader, **parts: Unpack[SummaryParts]) -> Markup:
    """Return a twin's summary as HTML: assets, signals with units, freshness, coverage, flags, and bytes."""
    questions = parts.get("questions", 0)
    status, storage = reader.status(), parts.get("storage")
    summaries = signal_summaries(model, reader)
    size = (
        f"{format_count(status.points)} points in {format_bytes(status.array_bytes)} ({status.bytes_per_point:.2f} B a point); "
        f"with tables {format_bytes(status.history_bytes)} of history, and {format_bytes(status.ledger_bytes)} of ledger"
    )
    kinds = [
        {
            "title": kind.title or name,
            "name": name,
            "count": _count(reader.asset_count(name), "asset"),
            "signals": [_signal_cells(one) for one in summaries if one.asset_type == name],
        }
        for name, kind in model.asset_types.items()
    ]
    events = [
        {"title": kind.title or name, "name": name, "count": _count(reader.event_count(name), "event")}
        for name, kind in model.event_types.items()
    ]
    return html(
        _SUMMARY,
        title=model.title or model.twin,
        size=size,
        storage="" if storage is None else storage.line,
        kinds=kinds,
        events=events,
        asked=_open(questions) if questions else "",
        notes=list(parts.get("notes", ())),
        edits=list(parts.get("edits", ())),
    )


def _signal_cells(one: SignalSummary) -> dict[str, object]:
    total = max(1, sum(one.counts.get(flag, 0) for flag in (Flag.PASS, Flag.SUSPECT, Flag.FAIL, Flag.MISSING)))
    return {
        "definition": one.spec.definition or "",
        "name": one.name,
        "unit": _unit(one.spec),
        "cadence": one.spec.cadence,
        "last": _instant(one.last),
        "coverage": f"{one.coverage:.1%}",
        "hover": ", ".join(
            f"{format_count(number)} {flag.name.lower()}" for flag, number in sorted(one.counts.items())
        ),
        "bar": [(f"{80 * one.counts.get(flag, 0) / total:.1f}", color) for flag, color in _COLORS.items()],
        "suspect": format_count(one.counts.get(Flag.SUSPECT, 0)),
        "fail": format_count(one.counts.get(Flag.FAIL, 0)),
    }
