"""A twin at a glance: stable text for terminals and nbval, HTML for notebooks. Neither reads any chunk of history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from twinlab.model.flags import Flag
from twinlab.model.twinmodel import parse_duration
from twinlab.twin.report import format_bytes, format_count

if TYPE_CHECKING:
    import xarray as xr

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
    """Return a line a signal, counted from the coarsest rollups: of the raw samples only the last windows are read."""
    summaries: list[SignalSummary] = []
    for asset_type, kind in twin.model.asset_types.items():
        alike: dict[tuple[str, str | None], list[str]] = {}
        for name, spec in kind.signals.items():
            alike.setdefault((spec.cadence, next(reversed(twin.steps(asset_type, name)), None)), []).append(name)
        # One reading for all signals of a cadence: the graph costs more than the data.
        found = {
            name: one for (_, step), names in alike.items() for name, one in _counted(twin, asset_type, names, step)
        }
        summaries += [found[name] for name in kind.signals]
    return summaries


def _counted(twin: Twin, asset_type: str, names: list[str], step: str | None) -> Iterator[tuple[str, SignalSummary]]:
    specs = twin.model.asset_types[asset_type].signals
    data = twin.history(asset_type, signals=names, step=step)
    if not data.sizes["time"] or not data.sizes["asset"]:
        yield from ((name, SignalSummary(asset_type, name, specs[name], {}, None)) for name in names)
        return
    per_time = _per_time(data, names, rolled=step is not None).compute()
    width = specs[names[0]].cadence_ns if step is None else parse_duration(step)
    last_windows = {}
    for name in names:
        filled = np.flatnonzero(sum(per_time[f"{name}_{flag.name.lower()}"].values for flag in _PRESENT))
        if len(filled):
            last_windows[name] = data.time.values[filled[-1]].astype("datetime64[ns]")
    recent = _recent(twin, asset_type, last_windows, width)
    for name in names:
        counts = {flag: int(per_time[f"{name}_{flag.name.lower()}"].sum()) for flag in Flag}
        yield name, SignalSummary(asset_type, name, specs[name], counts, recent.get(name))


def _per_time(data: xr.Dataset, names: list[str], *, rolled: bool) -> xr.Dataset:
    if rolled:
        wanted = [f"{name}_{flag.name.lower()}" for name in names for flag in Flag]
        return data[wanted].sum("asset")
    parts = {f"{name}_{flag.name.lower()}": (data[f"{name}_qc"] == flag.value) for name in names for flag in Flag}
    return data.drop_vars(list(data.data_vars)).assign(parts).sum("asset")


def _recent(twin: Twin, asset_type: str, windows: dict[str, np.datetime64], width: int) -> dict[str, np.datetime64]:
    """Return the last instant with a value of each signal, looked up in the last window that holds any."""
    by_start: dict[np.datetime64, list[str]] = {}
    for name, start in windows.items():
        by_start.setdefault(start, []).append(name)
    found = {}
    for start, names in by_start.items():
        stop = start + np.timedelta64(width, "ns")
        held = twin.history(asset_type, signals=names, start=start, stop=stop)[names].notnull().any("asset").compute()
        found.update(
            {name: held.time.values[np.flatnonzero(held[name].values)[-1]] for name in names if held[name].any()}
        )
    return found


def _instant(time: np.datetime64 | None) -> str:
    return "–" if time is None else str(time.astype("datetime64[m]")).replace("T", " ")


def _unit(spec: Signal) -> str:
    return "state" if spec.kind == "state" else spec.unit


def summary_text(twin: Twin) -> str:
    """Return the same lines on every machine: no paths, no sizes, no ages."""
    lines = [f"<Twin {twin.model.twin}>" + (f" {twin.model.title}" if twin.model.title else "")]
    summaries = signal_summaries(twin)
    for asset_type in twin.model.asset_types:
        count = len(twin.assets(asset_type))
        lines.append(f"  {asset_type}: {format_count(count)} assets")
        lines += [_signal_line(one) for one in summaries if one.asset_type == asset_type]
    lines += [f"  {name}: {format_count(len(twin.events(name)))} events" for name in twin.model.event_types]
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
        count = format_count(len(twin.assets(asset_type)))
        rows = [_signal_row(one) for one in summaries if one.asset_type == asset_type]
        head = "<tr><th>signal</th><th>unit</th><th>every</th><th>data to (UTC)</th><th>coverage</th><th></th><th class=n>suspect</th><th class=n>fail</th></tr>"
        body = f"<table>{head}{''.join(rows)}</table>" if rows else ""
        tables.append(
            f"<div><b>{escape(kind.title or asset_type)}</b> <code>{asset_type}</code>: {count} assets</div>{body}"
        )
    events = "".join(
        f"<div><b>{escape(kind.title or name)}</b> <code>{name}</code>: {format_count(len(twin.events(name)))} events</div>"
        for name, kind in twin.model.event_types.items()
    )
    size = (
        f"{format_bytes(status.history_bytes)} of history, {status.bytes_per_point:.2f} B a point "
        f"({format_count(status.points)} points), {format_bytes(status.ledger_bytes)} of ledger"
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
