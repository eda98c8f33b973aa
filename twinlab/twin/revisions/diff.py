"""What a revision changes: cells, flags, events, exceptions and KPIs, as tables, as text, as HTML and as a picture."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab._html import html
from twinlab.events.rules.exceptions import episodes
from twinlab.events.rules.registry import RULE_KINDS
from twinlab.history.revisions.cell_changes import CellChanges, cell_changes
from twinlab.history.revisions.table_changes import EVENT_CHANGE_COLUMNS, matched_changes, same_tables
from twinlab.model.reader import SomeAssets, TwinReader
from twinlab.model.rules import Rule
from twinlab.twin.report import format_count
from twinlab.twin.revisions.kpi_changes import Changed, kpi_changes, kpi_means, no_kpi_changes

if TYPE_CHECKING:
    from twinlab.explore.charts.changes import Layout
    from twinlab.history import HistoryReader
    from twinlab.history.store.view import View

__all__ = ["RevisionDiff", "compare"]

#: Exceptions may begin this long before a changed cell, and end as long after it.
_AROUND = np.timedelta64(1, "D")
_EVENT_TIMES = ("planned_start", "planned_end")
#: Spans up to this are listed by day, longer ones by month.
_DAYS = 400
_SHOWN = 12


@dataclass(frozen=True)
class RevisionDiff:
    """What a revision changes compared with the published history.

    Attributes
    ----------
    cells : DataFrame
        A row a signal, asset and period with changed cells: ``asset_type, signal, unit, asset, period, cells, appeared,
        vanished, mean_change, largest_change, mean_before, mean_after, flags_changed, first, last``; see
        `twinlab.history.revisions.cell_changes.CellChanges`.
    flags : DataFrame
        ``asset_type, signal, before, after, cells``: cells by their flag before and after.
    events : DataFrame
        ``event_type`` and ``change`` (appeared, vanished, moved, split, changed), ``key`` (the event's id), ``asset``, ``start,
        end`` and ``start_before, end_before``, ``key_before``.
    exceptions : DataFrame
        The same for exceptions, with ``rule``.
    kpis : DataFrame
        A row for each window of a KPI, of its period, in which it changes: ``kpi, start, end``, ``value_before, value_after``, the
        same of ``low``, ``high`` and ``coverage``, ``unit_before, unit_after``.
    """

    name: str
    title: str
    cells: pd.DataFrame
    flags: pd.DataFrame
    events: pd.DataFrame
    exceptions: pd.DataFrame
    kpis: pd.DataFrame

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not any(map(len, (self.cells, self.flags, self.events, self.exceptions, self.kpis)))

    def signals(self) -> pd.DataFrame:
        """Return a row a signal: ``asset_type, signal, unit, assets, cells, mean_before, mean_after, flags_changed, first, last``."""
        keys = ["asset_type", "signal", "unit"]
        both = self.cells["cells"] - self.cells["appeared"] - self.cells["vanished"]
        weighed = self.cells.assign(_n=both)
        for name in ("mean_before", "mean_after"):
            weighed[f"_{name}"] = weighed[name].fillna(0) * both
        found = weighed.groupby(keys, as_index=False).agg(
            assets=("asset", "nunique"), cells=("cells", "sum"), _n=("_n", "sum"), _b=("_mean_before", "sum"), _a=("_mean_after", "sum"),
            flags_changed=("flags_changed", "sum"), first=("first", "min"), last=("last", "max"),
        )  # fmt: skip
        number = found["_n"].where(found["_n"] > 0)
        found.insert(5, "mean_before", found["_b"] / number)
        found.insert(6, "mean_after", found["_a"] / number)
        return found.drop(columns=["_n", "_b", "_a"])

    def plot(self) -> Layout:
        """Return a picture: the changed cells of each asset over time, coloured by the mean change."""
        from twinlab.explore.charts.changes import changes_chart  # noqa: PLC0415  (HoloViews loads only when it is drawn)

        return changes_chart(self.cells)

    def __repr__(self) -> str:
        if self.empty:
            return f"<RevisionDiff {self.name}> nothing changes"
        lines = [f"<RevisionDiff {self.name}> {self.title}"]
        lines += [f"  {text}" for text in self._sentences()]
        return "\n".join(lines)

    def _sentences(self) -> list[str]:
        out = []
        for one in _records(self.signals()):
            means = (one["mean_before"], one["mean_after"])
            mean = "" if pd.isna(means[0]) else f", mean {means[0]:.4g} -> {means[1]:.4g} {one['unit']}"
            out.append(
                f"{one['asset_type']}.{one['signal']}: {format_count(one['cells'])} cells of {_many(one['assets'], 'asset')}{mean}, "
                f"{format_count(one['flags_changed'])} flags, {_day(one['first'])} to {_day(one['last'])}"
            )
        for table, column, noun in ((self.events, "event_type", "event"), (self.exceptions, "rule", "exception")):
            counts = table.groupby([column, "change"]).size().reset_index(name="n")
            out += [
                f"{one[column]}: {_many(one['n'], noun)} {'were ' if one['change'] == 'split' else ''}{one['change']}"
                for one in _records(counts)
            ]
        for one in _records(kpi_means(self.kpis)):
            row = _kpi_row(one)
            out.append(
                f"{row['name']}: {_many(one['windows'], 'window')}, mean {row['before']} -> {row['after']}, "
                f"{_day(one['first'])} to {_day(one['last'])}"
            )
        return out

    def _repr_html_(self) -> str:
        return str(
            html(
                _TEMPLATE,
                title=f"Revision {self.name}: {self.title}",
                empty=self.empty,
                signals=[_signal_row(one) for one in _records(self.signals())],
                flags=[
                    (f"{f['asset_type']}.{f['signal']}", f["before"], f["after"], format_count(f["cells"]))
                    for f in _records(self.flags)
                ],
                tables=[
                    {"title": title, "rows": _event_rows(table, column), "more": max(0, len(table) - _SHOWN)}
                    for title, table, column in (
                        ("Events", self.events, "event_type"),
                        ("Exceptions", self.exceptions, "rule"),
                    )
                    if len(table)
                ],
                kpis=[_kpi_row(one) for one in _records(kpi_means(self.kpis))],
            )
        )


def _many(number: int, noun: str) -> str:
    return f"{format_count(number)} {noun}{'' if number == 1 else 's'}"


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _day(time: Any) -> str:  # noqa: ANN401  (a time or NaT)
    return "–" if pd.isna(time) else f"{time:%Y-%m-%d}"


def _minute(time: Any) -> str:  # noqa: ANN401  (a time or NaT)
    return "" if pd.isna(time) else f"{time:%Y-%m-%d %H:%M}"


def _signal_row(one: dict[str, Any]) -> dict[str, str]:
    means = {
        name: "–" if np.isnan(one[f"mean_{name}"]) else f"{one[f'mean_{name}']:.4g}" for name in ("before", "after")
    }
    return {
        "name": f"{one['asset_type']}.{one['signal']}",
        "unit": one["unit"],
        "assets": format_count(one["assets"]),
        "cells": format_count(one["cells"]),
        "flags": format_count(one["flags_changed"]),
        "first": _minute(one["first"]),
        "last": _minute(one["last"]),
        **means,
    }


def _kpi_row(one: dict[str, Any]) -> dict[str, str]:
    values = {}
    for name in ("before", "after"):
        value, unit = one[f"value_{name}"], one[f"unit_{name}"]
        values[name] = "–" if np.isnan(value) else f"{value:.4g}{'' if unit in ('', '1') else f' {unit}'}"
    return {
        "name": one["kpi"],
        "windows": format_count(one["windows"]),
        "first": _minute(one["first"]),
        "last": _minute(one["last"]),
        **values,
    }


def _event_rows(table: pd.DataFrame, column: str) -> list[tuple[str, ...]]:
    return [
        (
            str(one[column]), str(one["change"]), str(one["asset"]),
            "" if pd.isna(one["start_before"]) else f"{_minute(one['start_before'])} – {_minute(one['end_before'])}",
            "" if pd.isna(one["start"]) else f"{_minute(one['start'])} – {_minute(one['end'])}",
        )
        for one in _records(table.head(_SHOWN))
    ]  # fmt: skip


_TEMPLATE = """\
<style>.tl-diff{font:13px system-ui,sans-serif}.tl-diff table{border-collapse:collapse;margin:4px 0 10px}\
.tl-diff th,.tl-diff td{padding:2px 12px 2px 0;text-align:left;border:0}\
.tl-diff .n{text-align:right;font-variant-numeric:tabular-nums}</style>\
<div class=tl-diff><div style='font-size:15px'><b>{{ title }}</b></div>\
{% if empty %}<div>Nothing changes.</div>{% endif %}\
{% if signals %}<table><tr><th>signal</th><th class=n>assets</th><th class=n>cells changed</th><th class=n>mean before</th>\
<th class=n>mean after</th><th>unit</th><th class=n>flags changed</th><th>from (UTC)</th><th>to</th></tr>\
{% for one in signals %}<tr><td>{{ one.name }}</td><td class=n>{{ one.assets }}</td><td class=n>{{ one.cells }}</td>\
<td class=n>{{ one.before }}</td><td class=n>{{ one.after }}</td><td>{{ one.unit }}</td><td class=n>{{ one.flags }}</td>\
<td>{{ one.first }}</td><td>{{ one.last }}</td></tr>{% endfor %}</table>{% endif %}\
{% if flags %}<table><tr><th>signal</th><th>flag before</th><th>flag after</th><th class=n>cells</th></tr>\
{% for name, before, after, cells in flags %}<tr><td>{{ name }}</td><td>{{ before }}</td><td>{{ after }}</td>\
<td class=n>{{ cells }}</td></tr>{% endfor %}</table>{% endif %}\
{% for table in tables %}<div><b>{{ table.title }}</b></div><table><tr><th></th><th>change</th><th>asset</th><th>before (UTC)</th>\
<th>after</th></tr>{% for row in table.rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}\
</table>{% if table.more %}<div>… and {{ table.more }} more</div>{% endif %}{% endfor %}\
{% if kpis %}<div><b>KPIs</b></div><table><tr><th></th><th class=n>windows changed</th><th class=n>mean before</th>\
<th class=n>mean after</th><th>from (UTC)</th><th>to</th></tr>\
{% for one in kpis %}<tr><td>{{ one.name }}</td><td class=n>{{ one.windows }}</td><td class=n>{{ one.before }}</td>\
<td class=n>{{ one.after }}</td><td>{{ one.first }}</td><td>{{ one.last }}</td></tr>{% endfor %}</table>{% endif %}</div>"""


def compare(
    name: str,
    title: str,
    views: tuple[View, View],
    readers: tuple[HistoryReader, HistoryReader],
    *,
    span: tuple[int | None, int | None] = (None, None),
    kpis: bool = True,
) -> RevisionDiff:
    """Compare two states of a twin.

    Parameters
    ----------
    views : (View, View)
        Their cells and tables, before and after.
    readers : (HistoryReader, HistoryReader)
        Readers of the same states, each with its own definitions.
    span : (int or None, int or None)
        Compare only cells, events, exceptions and windows of KPIs in ``[start, stop)``, ns since 1970.
    kpis : bool
        Whether KPIs are compared.
    """
    extents = [
        np.array(view.extent(group)) * view.catalog.entry(group).axis.cadence_ns
        for view in views
        for group in view.groups()
    ]
    days = max((int(high - low) for low, high in extents), default=0) / 86_400e9
    cells = cell_changes(*views, period="D" if days <= _DAYS else "M", span=span)
    events = _event_changes(views, readers, span)
    exceptions = _exception_changes(readers, cells, events, span)
    found = kpi_changes(readers, _changed(views, cells, events), span) if kpis else no_kpi_changes()
    return RevisionDiff(name, title, cells.table, cells.flags, events, exceptions, found)


def _changed(views: tuple[View, View], cells: CellChanges, events: pd.DataFrame) -> Changed:
    table = cells.table
    return Changed(
        set(zip(table["asset_type"], table["signal"], strict=True)),
        table["first"].min().to_datetime64() if len(table) else None,
        set(events["event_type"]),
        not all(same_tables(*views, prefix) for prefix in ("assets/", "relationships/")),
    )


def _window(span: tuple[int | None, int | None]) -> dict[str, object]:
    start, stop = (None if at is None else np.datetime64(at, "ns") for at in span)
    return {"start": start, "stop": stop}


def _event_changes(
    views: tuple[View, View], readers: tuple[HistoryReader, HistoryReader], span: tuple[int | None, int | None]
) -> pd.DataFrame:
    parts = []
    old, new = readers
    names = {*old.model.event_types, *new.model.event_types}
    for name in sorted(names):
        if same_tables(*views, f"events/{name}"):
            continue
        tables = [
            one.events(name, **_window(span)) if name in one.model.event_types else None  # type: ignore[arg-type]
            for one in readers
        ]
        some = next(table for table in tables if table is not None)
        before, after = (some.iloc[:0] if table is None else table for table in tables)
        shared = [c for c in before.columns if c in after.columns and c not in ("event_id", "start", "end", "asset")]
        found = matched_changes(before, after, key="event_id", times=("start", "end"), also=shared)
        parts.append(found.assign(event_type=name))
    return _joined(parts, "event_type")


def _exception_changes(
    readers: tuple[HistoryReader, HistoryReader],
    cells: CellChanges,
    events: pd.DataFrame,
    span: tuple[int | None, int | None],
) -> pd.DataFrame:
    old, new = readers
    parts = []
    for name in sorted({*old.model.rules, *new.model.rules}):
        rules = [one.model.rules.get(name) for one in readers]
        on = next(rule for rule in rules if rule is not None)
        window = _affected(on, rules[0] != rules[1], cells, events, readers, span)
        if window is None:
            continue
        changed = set(cells.table.loc[cells.table["asset_type"] == on.on, "asset"])
        # twinlab's own rules judge each asset by itself: only those with a changed cell are read.
        apart = (
            rules[0] == rules[1]
            and not on.is_about_others(old.model)
            and on.kind in RULE_KINDS.built_in()
            and on.on in old.model.asset_types
        )
        seen = [_with_assets(one, on.on, changed) if apart else one for one in readers]
        tables = [
            None if rule is None else episodes(one, {name: rule}, start=window[0], stop=window[1])
            for one, rule in zip(seen, rules, strict=True)
        ]
        some = next(table for table in tables if table is not None)
        before, after = (some.iloc[:0] if table is None else table for table in tables)
        found = matched_changes(before, after, key="key", times=("since", "until"))
        parts.append(found.assign(rule=name))
    return _joined(parts, "rule")


def _with_assets(reader: HistoryReader, asset_type: str, assets: Collection[str]) -> TwinReader:
    """Return a reader whose histories of a type have those of the assets that it knows."""
    return SomeAssets(reader, {asset_type: [one for one in reader.assets(asset_type).index if one in assets]})


def _affected(  # noqa: PLR0917  (one caller)
    rule: Rule,
    redefined: bool,  # noqa: FBT001
    cells: CellChanges,
    events: pd.DataFrame,
    readers: tuple[HistoryReader, HistoryReader],
    span: tuple[int | None, int | None],
) -> tuple[np.datetime64, np.datetime64] | None:
    """Return the span of time in which a rule may have other exceptions; None if it can't."""
    table, mine = cells.table, events
    if redefined or not rule.is_about_others(readers[0].model):
        table = table[table["asset_type"] == rule.on]
        mine = events[events["event_type"] == rule.on] if len(events) else events
    times = [
        table["first"],
        table["last"],
        *(mine[c] for c in ("start", "end", "start_before", "end_before") if len(mine)),
    ]
    every = pd.concat([column.dropna() for column in times])
    if redefined:
        marks = [mark for one in readers for mark in one.watermarks().values()]
        every = pd.concat([every, pd.Series([np.datetime64(readers[0].model.origin_ns, "ns"), *marks])])
    if not len(every):
        return None
    low, high = every.min().to_datetime64() - _AROUND, every.max().to_datetime64() + _AROUND
    if span[0] is not None:
        low = max(low, np.datetime64(span[0], "ns"))
    if span[1] is not None:
        high = min(high, np.datetime64(span[1], "ns"))
    return (low, high) if low < high else None


def _joined(parts: list[pd.DataFrame], column: str) -> pd.DataFrame:
    names = [column, *EVENT_CHANGE_COLUMNS]
    if not parts:
        return pd.DataFrame(columns=names).astype(EVENT_CHANGE_COLUMNS | {column: "str"})
    return pd.concat(parts, ignore_index=True)[names]
