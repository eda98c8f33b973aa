"""A twin at a glance: stable text for terminals and nbval, HTML for notebooks. Neither reads any chunk of history."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from twinlab.model.flags import Flag
from twinlab.twin.report import format_bytes, format_count

if TYPE_CHECKING:
    from twinlab.model.twinmodel import Signal
    from twinlab.twin.facade import Twin

__all__ = ["SignalSummary", "signal_summaries", "summary_html", "summary_text"]

_CSS = (
    ".tl-twin{font:13px system-ui,sans-serif}.tl-twin table{border-collapse:collapse;margin:4px 0 10px}"
    ".tl-twin th,.tl-twin td{padding:2px 12px 2px 0;text-align:left;border:0}"
    ".tl-twin .n{text-align:right;font-variant-numeric:tabular-nums}"
    ".tl-twin .bar{display:inline-block;width:80px;height:9px;white-space:nowrap;overflow:hidden;"
    "background:repeating-linear-gradient(45deg,#ddd,#ddd 2px,#fff 2px,#fff 4px)}"
    ".tl-twin .bar span{display:inline-block;height:9px;vertical-align:top}"
)
#: Okabe-Ito; the counts stand beside the bar, so that colour is never alone.
_PRESENT = (Flag.PASS, Flag.SUSPECT, Flag.FAIL)
_COLORS = {Flag.PASS: "#009E73", Flag.SUSPECT: "#E69F00", Flag.FAIL: "#D55E00"}


@dataclass(frozen=True)
class SignalSummary:
    """One signal over all assets of its type."""

    asset_type: str
    name: str
    spec: Signal
    counts: dict[Flag, int]
    last: np.datetime64 | None

    @property
    def present(self) -> int:
        """Cells that hold a value."""
        return sum(self.counts.get(flag, 0) for flag in _PRESENT)

    @property
    def coverage(self) -> float:
        """Share of the evaluated cells that hold a value, 0 to 1."""
        evaluated = self.present + self.counts.get(Flag.MISSING, 0)
        return self.present / evaluated if evaluated else 0.0


def signal_summaries(twin: Twin) -> list[SignalSummary]:
    """Return a line a signal, from the coarsest rollups."""
    counts, last = twin.reader.flag_counts(), twin.reader.last_times()
    return [
        SignalSummary(asset_type, name, spec, counts.get((asset_type, name), {}), last.get((asset_type, name)))
        for asset_type, kind in twin.model.asset_types.items()
        for name, spec in kind.signals.items()
    ]


def _instant(time: np.datetime64 | None) -> str:
    return "–" if time is None else str(time.astype("datetime64[m]")).replace("T", " ")


def _unit(spec: Signal) -> str:
    return "state" if spec.kind == "state" else spec.unit


def summary_text(twin: Twin) -> str:
    """Return the same lines on every machine: no paths, no sizes, no ages."""
    lines = [f"<Twin {twin.model.twin}>" + (f" {twin.model.title}" if twin.model.title else "")]
    summaries = signal_summaries(twin)
    for asset_type in twin.model.asset_types:
        count = twin.reader.asset_count(asset_type)
        lines.append(f"  {asset_type}: {format_count(count)} assets")
        lines += [_signal_line(one) for one in summaries if one.asset_type == asset_type]
    lines += [f"  {name}: {format_count(twin.reader.event_count(name))} events" for name in twin.model.event_types]
    return "\n".join(lines)


def _signal_line(one: SignalSummary) -> str:
    flags = f"suspect {one.counts.get(Flag.SUSPECT, 0)}  fail {one.counts.get(Flag.FAIL, 0)}"
    return (
        f"    {one.name:<18} {_unit(one.spec):<7} {one.spec.cadence:<5} to {_instant(one.last)}  "
        f"coverage {one.coverage:4.0%}  {flags}"
    )


def summary_html(twin: Twin) -> str:
    """Return the twin's assets, signals with units, freshness, coverage, flags, and bytes."""
    status = twin.reader.status()
    tables = []
    summaries = signal_summaries(twin)
    for asset_type, kind in twin.model.asset_types.items():
        count = format_count(twin.reader.asset_count(asset_type))
        rows = [_signal_row(one) for one in summaries if one.asset_type == asset_type]
        head = "<tr><th>signal</th><th>unit</th><th>every</th><th>data to (UTC)</th><th>coverage</th><th></th><th class=n>suspect</th><th class=n>fail</th></tr>"
        body = f"<table>{head}{''.join(rows)}</table>" if rows else ""
        tables.append(
            f"<div><b>{escape(kind.title or asset_type)}</b> <code>{asset_type}</code>: {count} assets</div>{body}"
        )
    events = "".join(
        f"<div><b>{escape(kind.title or name)}</b> <code>{name}</code>: {format_count(twin.reader.event_count(name))} events</div>"
        for name, kind in twin.model.event_types.items()
    )
    size = (
        f"{format_count(status.points)} points in {format_bytes(status.array_bytes)} ({status.bytes_per_point:.2f} B a point); "
        f"with tables {format_bytes(status.history_bytes)} of history, and {format_bytes(status.ledger_bytes)} of ledger"
    )
    title = escape(twin.model.title or twin.model.twin)
    return (
        f"<style>{_CSS}</style><div class=tl-twin><div style='font-size:15px'><b>{title}</b></div>"
        f"<div style='opacity:.75'>{size}</div>{''.join(tables)}{events}</div>"
    )


def _signal_row(one: SignalSummary) -> str:
    total = max(1, sum(one.counts.get(flag, 0) for flag in (Flag.PASS, Flag.SUSPECT, Flag.FAIL, Flag.MISSING)))
    parts = "".join(
        f"<span style='width:{80 * one.counts.get(flag, 0) / total:.1f}px;background:{color}'></span>"
        for flag, color in _COLORS.items()
    )
    hover = ", ".join(f"{format_count(number)} {flag.name.lower()}" for flag, number in sorted(one.counts.items()))
    return (
        f"<tr><td title='{escape(one.spec.definition or '')}'>{one.name}</td><td>{escape(_unit(one.spec))}</td>"
        f"<td>{one.spec.cadence}</td><td>{_instant(one.last)}</td><td class=n>{one.coverage:.1%}</td>"
        f"<td><span class=bar title='{hover}'>{parts}</span></td>"
        f"<td class=n>{format_count(one.counts.get(Flag.SUSPECT, 0))}</td>"
        f"<td class=n>{format_count(one.counts.get(Flag.FAIL, 0))}</td></tr>"
    )
