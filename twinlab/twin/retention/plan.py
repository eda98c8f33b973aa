"""The planner: what each way of keeping less would save, and what it would change, measured on the twin's own history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from twinlab._html import html
from twinlab.errors import SchemaError
from twinlab.history.build.cuts import Cut
from twinlab.history.layout.grid import DAY_NS
from twinlab.history.retention.sizes import size_after
from twinlab.history.retention.storage_use import storage_use
from twinlab.history.write.removal import Removal
from twinlab.model.basics import parse_duration
from twinlab.model.storage.price import Money, Price
from twinlab.model.storage.retention import RetentionRule
from twinlab.twin.proposals.proposal import Proposal, write_proposal
from twinlab.twin.report import format_bytes
from twinlab.twin.retention.applying import cut_of, data_span
from twinlab.twin.retention.codec_table import codec_table, codec_text
from twinlab.twin.retention.errors import ErrorEstimate, limits_of, mean_error, missed_exceptions, shares_beyond
from twinlab.twin.retention.forecast import money_text
from twinlab.twin.retention.kept import found_keys, kept_spans
from twinlab.twin.retention.kpi_errors import (
    NO_KPI,
    KpiError,
    kpi_errors,
    kpi_text,
    kpi_values,
    kpis_of_gauges,
    largest,
)
from twinlab.twin.retention.ranking import best_within_budget, pareto
from twinlab.twin.retention.reduced import ReducedReader

if TYPE_CHECKING:
    from twinlab.explore.charts.kpis.retention import ParetoPlot
    from twinlab.history.store.view import View
    from twinlab.ledger.archive_sizes import Archivable
    from twinlab.model.reader import TwinReader

__all__ = ["RetentionPlan", "make_plan"]

#: Ages that are tried, in days; those that leave nothing to remove aren't.
_AGES = (7, 14, 30, 60, 90, 180, 365, 730, 1825)
#: What is done with older cells, and to how many resolutions they are rounded.
_TREATMENTS: tuple[tuple[Literal["rollups", "rounded"], int], ...] = (("rollups", 4), ("rounded", 4), ("rounded", 16))
#: Days that are sampled for errors, and days before the cut in which exceptions are searched.
_SAMPLED, _SEARCHED = 16, 28
_COLUMNS = (
    "full_rate", "older", "resolution", "ledger", "bytes", "archived", "cost", "share_error", "error_low", "error_high",
    "kpi", "kpi_error", "kpi_low", "kpi_high", "kpi_unit", "kpi_relative", "kpi_lost", "missed", "false", "pareto", "fits",
)  # fmt: skip
_TABLE = """\
<div>{{ first }}<table><tr>{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr>\
{% for row in rows %}<tr>{% for cell in row %}<td style="text-align:right">{{ cell }}</td>{% endfor %}</tr>{% endfor %}\
</table>{{ last }}</div>"""


@dataclass(frozen=True)
class RetentionPlan:
    """Ways of keeping less, with their bytes, costs and measured errors; one of them may be proposed for ``twin.yaml``."""

    table: pd.DataFrame
    """One row a way: ``full_rate`` (younger cells stay; empty: all stay), ``older`` and ``resolution`` (what happens to older
    ones), ``ledger`` (kept or archived), ``bytes`` of the twin's folder and ``archived`` bytes after it is applied,
    ``cost`` a month, ``share_error`` with ``error_low`` and ``error_high`` (mean error of daily shares of time beyond a limit,
    percentage points, with its 95 % interval, in the time that is older), ``kpi`` (the KPI of ``twin.yaml`` that changes most),
    ``kpi_error`` with ``kpi_low`` and ``kpi_high`` (mean error of its values, in ``kpi_unit``, with its 95 % interval),
    ``kpi_relative`` (to the mean size of its values), ``kpi_lost`` (share of its windows that have no value any more), ``missed`` and ``false`` (exceptions and
    events of finders, of the searched span, that aren't found any more, or weren't there), ``pareto`` (no other way is cheaper and as good), ``fits`` (within the
    budget)."""
    budget: Money
    keep: tuple[Literal["events", "flagged"], ...]
    margin: str
    searched: int
    """Exceptions and events of finders that were found in the searched span, with all cells."""
    days: int
    """Days that errors are measured on."""
    kpis: pd.DataFrame
    """The errors of all KPIs that depend on gauges: ``older, resolution, kpi, error, low, high, unit, relative, lost, windows``.
    Those of other signals and of events can't change."""
    unmeasured: tuple[str, ...]
    """KPIs that may change but weren't measured: no whole window of them is old enough, or they are extremes of gauges."""
    codecs: pd.DataFrame
    """What the twin's cells would take in other codecs, without error: ``codec, in_use, bytes`` of the twin's folder, ``cost`` a
    month, ``ns_per_cell`` (CPU time to decode, measured). For information: compacting doesn't change the codec."""
    folder: Path = field(repr=False)
    chosen: int | None = None
    """Number of the row with the least error that fits the budget; None if none does."""

    def choose(self, row: int) -> RetentionPlan:
        """Return the plan with another row chosen.

        Raises
        ------
        SchemaError
            If there is no such row.
        """
        if row not in self.table.index:
            msg = f"expected a row from 0 to {len(self.table) - 1}, got {row}; see plan.table"
            raise SchemaError(msg)
        return replace(self, chosen=row)

    @property
    def rule(self) -> RetentionRule | None:
        """The chosen way as ``retention:`` of ``twin.yaml``; None if all stays.

        Raises
        ------
        SchemaError
            If no way fits the budget and none was chosen.
        """
        if self.chosen is None:
            msg = f"no way of keeping less fits {money_text(self.budget)}; choose one of plan.table with plan.choose(row), or raise the budget"
            raise SchemaError(msg)
        row = self.table.loc[self.chosen]
        return _rule(row, self.keep, self.margin)

    def propose(self) -> Proposal:
        """Write the chosen way to ``proposals/``; ``proposal.approve()`` writes it into ``twin.yaml``.

        Nothing is removed before ``twinlab compact --apply-retention`` or `Twin.apply_retention`.

        Raises
        ------
        SchemaError
            If no way is chosen, or the chosen one keeps all.
        """
        rule = self.rule
        if rule is None:
            msg = f"the chosen way keeps all, which fits {money_text(self.budget)}: there is nothing to propose"
            raise SchemaError(msg)
        row: Any = self.table.loc[self.chosen]
        evidence = (
            f"{format_bytes(row['bytes'])} instead of {format_bytes(self.table['bytes'].iloc[0])}, "
            f"{row['share_error']:.3g} percentage points mean error of daily shares of time in what is older, "
            f"{f'largest error of a KPI: {kpi_text(row)}, ' if row['kpi'] else ''}"
            f"{row['missed']:.0f} of {self.searched} exceptions and found events missed, {row['false']:.0f} false"
        )
        return write_proposal(
            self.folder, ("retention",), rule.model_dump(mode="json", exclude_defaults=True), evidence=evidence
        )

    def plot(self) -> ParetoPlot:
        """Return a HoloViews chart of bytes against error, a point for each way."""
        from twinlab.explore.charts.kpis.retention import pareto_chart  # noqa: PLC0415  (Panel loads only when looked at)

        return pareto_chart(self.table, codecs=self.codecs, chosen=self.chosen)

    def _lines(self) -> tuple[str, list[list[str]], str]:
        names = ", ".join(self.kpis["kpi"].unique())
        names = f"; measured KPIs: {names}" if names else ""
        names += f"; KPIs not measured: {', '.join(self.unmeasured)}" if self.unmeasured else ""
        first = (
            f"retention for {money_text(self.budget)}, kept at full rate: {' and '.join(self.keep) or 'nothing'} with a margin of {self.margin}; "
            f"errors from {self.days} days, {self.searched} exceptions and found events{names}"
        )
        shown = self.table[self.table["pareto"] | (self.table.index == self.chosen) | (self.table.index == 0)]
        rows = [_shown(int(number), row, self.budget.currency) for number, row in shown.iterrows()]  # type: ignore[call-overload]
        left = len(self.table) - len(shown)
        last = f"{left} other ways are no better (plan.table)" if left else ""
        if self.chosen is None:
            last += "; none fits the budget" if last else "none fits the budget"
        else:
            last += ("; " if last else "") + f"row {self.chosen} is chosen: plan.propose() writes it down for approval"
        if len(self.codecs):
            last += f"; codecs of cells, without error and not applied by compact: {codec_text(self.codecs)}"
        return first, rows, last

    def __str__(self) -> str:
        first, rows, last = self._lines()
        cells = [list(_SHOWN), *rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells
        ]
        return "\n".join([first, *(f"  {line}" for line in lines), last])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        first, rows, last = self._lines()
        return str(html(_TABLE, first=first, rows=rows, last=last, columns=_SHOWN))


_SHOWN = (
    "row",
    "full rate for",
    "older",
    "ledger",
    "bytes",
    "archive",
    "cost",
    "error of daily shares",
    "largest error of a KPI",
    "missed",
)


def _shown(number: int, row: Any, currency: str) -> list[str]:  # noqa: ANN401  (a row of a DataFrame)
    older = (
        ""
        if not row["full_rate"]
        else ("rollups only" if row["older"] == "rollups" else f"rounded {row['resolution']}x")
    )
    error = (
        f"{row['share_error']:.2g} [{row['error_low']:.2g}, {row['error_high']:.2g}] points"
        if row["full_rate"]
        else "0"
    )
    return [
        str(number),
        row["full_rate"] or "all",
        older,
        row["ledger"],
        format_bytes(row["bytes"]),
        format_bytes(row["archived"]) if row["archived"] else "",
        money_text(Money(row["cost"], currency)) if np.isfinite(row["cost"]) else "no price",
        error,
        kpi_text(row) or ("none measured" if row["full_rate"] else "0"),
        f"{row['missed']:.0f}" + (f" ({row['false']:.0f} false)" if row["false"] else ""),
    ]


def _rule(row: Any, keep: Sequence[Literal["events", "flagged"]], margin: str) -> RetentionRule | None:  # noqa: ANN401
    if not row["full_rate"] and row["ledger"] == "keep":
        return None
    return RetentionRule.model_validate(
        {
            "full_rate": row["full_rate"],
            "older": row["older"],
            "resolution": max(2, int(row["resolution"])),
            "keep": tuple(keep),
            "margin": margin,
            "ledger": row["ledger"],
        }
    )


@dataclass(frozen=True)
class _Way:
    """What one treatment of older cells changes, and the bytes that it leaves of gauges, by age in days."""

    older: Literal["rollups", "rounded"]
    resolution: int
    error: ErrorEstimate
    kpis: list[KpiError]
    missed: int
    false: int
    before: float
    after: dict[int, float]


def _measure(
    reader: TwinReader,
    view: View,
    cuts: dict[int, int],
    *,
    keep: Sequence[Literal["events", "flagged"]],
    margin_ns: int,
    days: list[int],
) -> tuple[list[_Way], int]:
    """Return the ways of treating cells before each cut (by age), and the number of exceptions and events that were found."""
    since, latest = data_span(view)[0], max(cuts.values())
    columns: Any = view.meta["assets"]
    kept = kept_spans(reader, view, columns, keep=keep, margin_ns=margin_ns, since_ns=since, before_ns=latest)
    window = max(since, latest - _SEARCHED * DAY_NS)
    found = found_keys(reader, since_ns=window, before_ns=latest)
    limits = limits_of(reader)
    values = kpi_values(reader, since_ns=since, before_ns=latest)
    whole = [shares_beyond(reader, limit, days, reduced=False) for limit in limits]
    out = []
    for older, resolution in _TREATMENTS:
        removal = Removal(Cut("plan", latest, ()), older, resolution, kept)
        reduced = ReducedReader(reader, removal, since)
        error = mean_error(_joined(whole, [shares_beyond(reduced, limit, days, reduced=True) for limit in limits]))
        kpis = kpi_errors(values, kpi_values(reduced, since_ns=since, before_ns=latest))
        again = found_keys(reduced, since_ns=window, before_ns=latest)
        missed, false = missed_exceptions(found, again)
        sizes = size_after(view, removal, list(cuts.values()), columns)
        after = {age: sizes.after[cut] for age, cut in cuts.items()}
        out.append(_Way(older, resolution, error, kpis, len(missed), len(false), sizes.before, after))
    return out, len(found)


def make_plan(
    reader: TwinReader,
    view: View,
    folder: Path,
    *,
    budget: Money,
    prices: tuple[Price, Price],
    keep: Sequence[Literal["events", "flagged"]],
    margin: str,
    archivable: Callable[[int], Archivable],
) -> RetentionPlan:
    """Return the plan of a twin whose published history is ``view``.

    ``archivable`` returns what of the ledger would be archived with a cut at an instant, ns.

    Raises
    ------
    SchemaError
        If the twin has no cells, or the budget is in another currency than the price.
    """
    own, archive = prices
    if budget.currency != own.currency:
        msg = f"expected a budget in {own.currency}, as the price of storage is, got {money_text(budget)}"
        raise SchemaError(msg)
    total, (since, _) = storage_use(folder, view).total, data_span(view)
    cuts = {age: cut_of(view, age * DAY_NS) for age in _AGES if cut_of(view, age * DAY_NS) - since >= DAY_NS}
    days = _days(since, max(cuts.values())) if cuts else []
    margin_ns = parse_duration(margin)
    ways, searched = _measure(reader, view, cuts, keep=keep, margin_ns=margin_ns, days=days) if cuts else ([], 0)
    movable = {age: archivable(cut) for age, cut in cuts.items()}
    rows = [_row(_Way("rollups", 0, ErrorEstimate(0.0, 0.0, 0.0, 0, 0), [], 0, 0, 0.0, {}), "", total, 0.0)]
    for way in ways:
        for age in cuts:
            size, moved = total - way.before + way.after[age], movable[age]
            rows.append(_row(way, f"{age}d", size, 0.0))
            rows += [_row(way, f"{age}d", size - moved.freed, moved.archived)] if moved.archived else []
    table = pd.DataFrame(rows)
    table["cost"] = own.amount * table["bytes"] / 1e9 + archive.amount * table["archived"] / 1e9
    table["fits"] = table["cost"] <= budget.amount
    table["pareto"] = pareto(table)
    chosen, kpis = best_within_budget(table), _kpi_table(ways)
    unmeasured = tuple(name for name in kpis_of_gauges(reader.model) if name not in set(kpis["kpi"]))
    return RetentionPlan(
        table[list(_COLUMNS)],
        budget,
        tuple(keep),
        margin,
        searched,
        len(days),
        kpis,
        unmeasured,
        codec_table(view, total, own.amount),
        folder,
        chosen,
    )


def _kpi_table(ways: Sequence[_Way]) -> pd.DataFrame:
    """Return the errors of all KPIs in each way of treating older cells."""
    rows = [{"older": way.older, "resolution": way.resolution, **one.row()} for way in ways for one in way.kpis]
    table = pd.DataFrame(rows, columns=["older", "resolution", *NO_KPI, "windows"])
    return table.rename(columns={name: name.removeprefix("kpi_") for name in NO_KPI})


def _row(way: _Way, full_rate: str, size: float, moved: float) -> dict[str, object]:
    worst = largest(way.kpis)
    return {
        **(NO_KPI if worst is None else worst.row()),
        "full_rate": full_rate, "older": way.older, "resolution": way.resolution, "ledger": "archive" if moved else "keep",
        "bytes": float(size), "archived": moved, "share_error": way.error.mean, "error_low": way.error.low,
        "error_high": way.error.high, "missed": way.missed, "false": way.false,
    }  # fmt: skip


def _days(since: int, before: int) -> list[int]:
    """Return the starts of whole days of a span, at most so many, at random without repetition."""
    first = -(-since // DAY_NS)
    every = np.arange(first, before // DAY_NS)
    chosen = every if len(every) <= _SAMPLED else np.random.default_rng(1).choice(every, _SAMPLED, replace=False)
    return [int(day) * DAY_NS for day in np.sort(chosen)]


def _joined(whole: Sequence[np.ndarray], parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return the absolute errors of all limits, percentage points, (day, series)."""
    return np.concatenate(
        [100 * np.abs(a - b) for a, b in zip(whole, parts, strict=True)] or [np.empty((0, 0))], axis=1
    )
