"""Assets without an observation for too long: rules with ``silent``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.lifetimes import NO_END, NO_START, lifetimes
from twinlab.events.reading import read_cells
from twinlab.events.rules.exception_table import duration_text, exception_rows, times
from twinlab.history.read.direct import computed
from twinlab.model.extensions.rule_kind import RuleKind
from twinlab.model.twinmodel import parse_duration

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.model.rules import Rule

__all__ = ["SILENT", "last_observed", "observed", "silent_spans"]

_DAY = 86400 * 10**9
#: How far back cells are searched; further back, the coarsest rollups show in which windows to search.
_CELLS_BACK = 4 * _DAY
_NEVER, _OPEN = NO_START, NO_END


def silent_spans(twin: TwinReader, name: str, rule: Rule, *, start_ns: int, stop_ns: int) -> pd.DataFrame:
    """Return the spans overlapping ``[start, stop)`` in which an asset has been without observation for too long.

    A failed observation counts as an observation. Only what is known at ``stop`` counts. Silence begins with the last
    observation or, if that is later, with the asset's lifetime; if there was never an observation and no lifetime is
    stated, ``since`` is NaT. It is over at the end of the lifetime: what was removed isn't silent.
    """
    allowed = parse_duration(rule.silent or "")
    wanted = [str(one) for one in twin.assets(rule.on).index]
    place = {one: k for k, one in enumerate(wanted)}
    low = max(twin.model.origin_ns, start_ns - allowed)
    who, when = observed(twin, rule.on, start_ns=low, stop_ns=stop_ns, place=place)
    first = np.full(len(wanted), _OPEN, dtype=np.int64)
    np.minimum.at(first, who, when)
    # Assets observed at the window's start aren't searched further back: an earlier silence is over.
    older = np.flatnonzero(first > start_ns)
    known = last_observed(twin, rule.on, before_ns=low, assets=[wanted[k] for k in older])
    who = np.concatenate([who, older])
    when = np.concatenate([when, np.array([known.get(wanted[k], _NEVER) for k in older], dtype=np.int64)])
    order = np.lexsort((when, who))
    who, when = who[order], when[order]
    until = np.full(len(when), _OPEN, dtype=np.int64)
    same = who[1:] == who[:-1]
    until[:-1][same] = when[1:][same]
    never = when == _NEVER
    starts, ends = (bound[who] for bound in lifetimes(twin, rule.on, wanted))
    # An end after the stop isn't known yet.
    when, until = np.maximum(when, starts), np.minimum(until, np.where(ends < stop_ns, ends, _OPEN))
    raised = np.where(when == _NEVER, _NEVER, when + allowed)
    keep = (raised < until) & (raised < stop_ns) & (until > start_ns)
    who, when, until, raised, never = who[keep], when[keep], until[keep], raised[keep], never[keep]
    not_over = until == _OPEN
    age = np.where(not_over, stop_ns - 1, until) - when.astype(float)
    return exception_rows(
        {
            "asset_type": rule.on,
            "asset": np.array([wanted[k] for k in who], dtype=object),
            "since": times(when),
            "raised": times(raised),
            "until": times(np.where(not_over, _NEVER, until)),
            "value": np.where(never, np.nan, age / 60e9),
            "limit": allowed / 60e9,
            "unit": "min",
            "text": [
                "never heard" if no else f"silent for {duration_text(span)} (allowed {duration_text(allowed)})"
                for no, span in zip(never.tolist(), age.tolist(), strict=True)
            ],
            # Assets without any observation come last: they probably have no sensor.
            "beyond": np.where(never, 0.0, age / allowed),
        },
        name=name,
        rule=rule,
    )


def observed(
    twin: TwinReader, asset_type: str, *, start_ns: int, stop_ns: int, place: dict[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return observations of any signal in ``[start, stop)``: numbers of assets and starts of cells."""
    who: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    when: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    signals = list(twin.model.asset_types[asset_type].signals)
    some = None if len(place) == len(twin.assets(asset_type)) else list(place)
    for cells in read_cells(twin, asset_type, signals=signals, start_ns=start_ns, stop_ns=stop_ns, assets=some):
        numbers = np.array([place.get(one, -1) for one in cells.assets], dtype=np.int64)
        seen = np.zeros((len(cells.times), len(cells.assets)), dtype=bool)
        for name in cells.values:
            seen |= cells.observed(name)
        rows, columns = np.nonzero(seen[:, numbers >= 0])
        who.append(numbers[numbers >= 0][columns])
        when.append(cells.times.astype("int64")[rows])
    return np.concatenate(who), np.concatenate(when)


def last_observed(twin: TwinReader, asset_type: str, *, before_ns: int, assets: Sequence[str]) -> dict[str, int]:
    """Return the last observation of each asset before an instant, in nanoseconds; without those that have none."""
    out: dict[str, int] = {}
    todo, high, origin = list(assets), before_ns, twin.model.origin_ns
    back = _DAY // 4
    while todo and high > origin and before_ns - high < _CELLS_BACK:
        low = max(origin, high - back)
        _note(twin, asset_type, out, todo, (low, high))
        todo, high, back = [one for one in todo if one not in out], low, back * 4
    for low, stop in _busy_windows(twin, asset_type, todo, (origin, high)) if todo and high > origin else ():
        _note(twin, asset_type, out, todo, (low, stop))
        todo = [one for one in todo if one not in out]
        if not todo:
            break
    return out


def _note(twin: TwinReader, asset_type: str, out: dict[str, int], todo: list[str], span: tuple[int, int]) -> None:
    place = {one: k for k, one in enumerate(todo)}
    who, when = observed(twin, asset_type, start_ns=span[0], stop_ns=span[1], place=place)
    last = np.full(len(todo), _NEVER, dtype=np.int64)
    np.maximum.at(last, who, when)
    out |= {one: int(found) for one, found in zip(todo, last, strict=True) if found != _NEVER}


def _busy_windows(
    twin: TwinReader, asset_type: str, assets: Sequence[str], span: tuple[int, int]
) -> list[tuple[int, int]]:
    """Return windows of the coarsest rollups with the last observation of any of the assets, newest first."""
    spans: set[tuple[int, int]] = set()
    groups: dict[int, list[str]] = {}
    for name, signal in twin.model.asset_types[asset_type].signals.items():
        groups.setdefault(signal.cadence_ns, []).append(name)
    for names in groups.values():
        step = next(reversed(twin.steps(asset_type, names[0])), None)
        if step is None:
            spans.add(span)
            continue
        width = parse_duration(step)
        data = twin.history(
            asset_type, signals=names, start=np.datetime64(span[0], "ns"), stop=np.datetime64(span[1], "ns"), step=step
        )
        counted = [f"{name}_{what}" for name in names for what in ("pass", "suspect", "fail")]
        data = computed(data[counted])
        mine = np.isin(data["asset"].values.astype(str), list(assets))
        busy = sum(data[name].values[:, mine] for name in counted)
        starts = data["time"].values.astype("datetime64[ns]").astype("int64")
        for column in np.asarray(busy).T:
            rows = np.flatnonzero(column)
            if len(rows):
                first = int(starts[rows[-1]])
                spans.add((max(first, span[0]), min(first + width, span[1])))
    return sorted(spans, reverse=True)


SILENT = RuleKind("silent", silent_spans)
