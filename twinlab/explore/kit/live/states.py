"""What the status of a historian means: a verdict in a sentence, and a row for each source. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.explore.kit.exception_text import age_text
from twinlab.languages import local_number, mark, tr

if TYPE_CHECKING:
    from twinlab.explore.kit.live.live_twins import Status

__all__ = ["Verdict", "age_at", "newest_row", "offset_text", "source_rows", "state_text", "trouble", "verdict"]

#: State -> shape and name; the shapes differ, so that the colour isn't needed.
_STATES = {
    "connected": mark("● connected"),
    "connecting": mark("… connecting"),
    "ended": mark("■ ended"),
    "failed": mark("✕ failed"),
    "stale": mark("▲ stale"),
    "stopped": mark("○ not running"),
}
_COLUMNS = [
    "state",
    "kind",
    mark("last row"),
    "rows/s",
    "rows",
    mark("stored after (p50 / p99)"),
    mark("open gaps"),
    mark("lost gaps"),
    "clock",
    mark("last error"),
]


@dataclass(frozen=True)
class Verdict:
    """Heading and sentence above the table."""

    good: bool
    head: str
    detail: str


def state_text(source: Mapping[str, Any], *, running: bool) -> str:
    """Return the state of a source in a word with its shape.

    >>> state_text({"state": "connected", "stale": True}, running=True)
    '▲ stale'
    """
    if not running and source["state"] not in ("ended", "failed"):
        return tr(_STATES["stopped"])
    if source["stale"] and source["state"] == "connected":
        return tr(_STATES["stale"])
    return tr(_STATES[source["state"]])


def trouble(source: Mapping[str, Any], *, now_ns: int) -> str:
    """Return what is wrong with a source of a running historian, "" if nothing is."""
    state, age = source["state"], age_at(source["last_row_ns"], now_ns)
    reasons = []
    if state == "failed":
        reasons.append(tr("failed: {error}", error=source["error"]))
    elif state == "connecting":
        reasons.append(tr("not connected{error}", error=_because(source["error"])))
    elif source["stale"]:
        reasons.append(tr("no row yet") if age is None else tr("no row for {age}", age=age))
    if state not in ("failed", "connecting") and source["error"]:
        reasons.append(str(source["error"]))
    if source["clock_suspect"]:
        reasons.append(tr("its clock is {clock_offset}", clock_offset=offset_text(source["clock_offset"])))
    if source["gaps"]:
        reasons.append(_count(len(source["gaps"]), tr("open gap")))
    reasons += [str(text) for text in source["findings"]]
    return "; ".join(reasons)


def verdict(status: Status, names: Sequence[str], *, command: str, now_ns: int | None = None) -> Verdict:
    """Return a heading and a sentence on all live sources of a twin.

    Parameters
    ----------
    status : Status
    names : sequence of str
        Sources that the mappings name.
    command : str
        Command that starts the historian.
    now_ns : int, optional
        The present, ns UTC.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    if not status.updated_ns:
        return Verdict(
            good=False, head=tr("No historian has run yet"), detail=tr("Start it with: {command}", command=command)
        )
    if not status.running:
        since = age_at(status.updated_ns, now_ns)
        detail = tr("Rows that sources send meanwhile aren't stored. Start it with: {command}", command=command)
        return Verdict(good=False, head=tr("The historian has not run for {since}", since=since), detail=detail)
    missing = [
        tr("{name}: added after the historian started; restart it", name=name)
        for name in names
        if name not in status.sources
    ]
    wrong = {name: text for name, one in status.sources.items() if (text := trouble(one, now_ns=now_ns))}
    if not wrong and not missing:
        rate = sum(one["rate"] for one in status.sources.values())
        head = (
            tr("All {count} sources work", count=len(status.sources))
            if len(status.sources) != 1
            else tr("The source works")
        )
        return Verdict(
            good=True, head=head, detail=tr("{rate:,.1f} rows a second over the last ten seconds.", rate=rate)
        )
    total, bad = len({*names, *status.sources}), len(wrong) + len(missing)
    needs = "needs" if bad == 1 else "need"
    head = f"{bad} of {_count(total, 'source')} {needs} attention"
    return Verdict(good=False, head=head, detail=" · ".join([*(f"{n}: {text}" for n, text in wrong.items()), *missing]))


def source_rows(status: Status, *, now_ns: int | None = None) -> pd.DataFrame:
    """Return a row of texts for each source, in the order of the status."""
    now_ns = time.time_ns() if now_ns is None else now_ns
    rows = [_row(one, running=status.running, now_ns=now_ns) for one in status.sources.values()]
    return pd.DataFrame(rows, index=pd.Index(list(status.sources), name="source", dtype="str"), columns=_COLUMNS)


def _row(one: Mapping[str, Any], *, running: bool, now_ns: int) -> list[str]:
    age = age_at(one["last_row_ns"], now_ns)
    p50, p99 = one["received_p50"], one["received_p99"]
    return [
        state_text(one, running=running),
        str(one["kind"]),
        "never" if age is None else tr("{age} ago", age=age),
        local_number(f"{one['rate']:,.1f}") if running else "–",
        local_number(f"{one['rows']:,}"),
        "–" if p50 is None or not running else f"{p50:.2f} / {p99:.2f} s",
        local_number(f"{len(one['gaps']):,}"),
        local_number(f"{one['gaps_lost']:,}"),
        "–"
        if one["clock_offset"] is None
        else f"{'✕ ' if one['clock_suspect'] else ''}{offset_text(one['clock_offset'])}",
        str(one["error"]) or "–",
    ]


def age_at(at_ns: int, now_ns: int) -> str | None:
    """Return how long ago an instant was, ns UTC; None for 0, which is never.

    >>> age_at(10**9, 61 * 10**9)
    '1 min'
    """
    return age_text(pd.Timedelta(max(0, now_ns - at_ns), unit="ns")) if at_ns else None


def newest_row(status: Status) -> np.datetime64 | None:
    """Return the event time of the newest row of any source, UTC; that of its receipt if the source's clock is ahead."""
    known = [min(one["last_event_ns"] or one["last_row_ns"], one["last_row_ns"]) for one in status.sources.values()]
    newest = max(known, default=0)
    return np.datetime64(newest, "ns") if newest else None


def offset_text(seconds: float) -> str:
    """Return how far a clock is off.

    >>> offset_text(-0.25), offset_text(86400)
    ('0.2 s behind', '1 d ahead')
    """
    if abs(seconds) < 60:
        return f"{abs(seconds):.1f} s {'ahead' if seconds > 0 else 'behind'}"
    return f"{age_text(pd.Timedelta(seconds=abs(seconds)))} {'ahead' if seconds > 0 else 'behind'}"


def _because(error: str) -> str:
    return f": {error}" if error else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
