"""A plan of what is kept: its ways with bytes, cost and errors, as text, HTML and chart, and the proposal of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from twinlab._html import html
from twinlab.errors import SchemaError
from twinlab.model.storage.price import Money
from twinlab.model.storage.retention import RetentionRule
from twinlab.twin.proposals.proposal import Proposal, write_proposal
from twinlab.twin.report import format_bytes
from twinlab.twin.retention.codec_table import codec_text
from twinlab.twin.retention.forecast import money_text
from twinlab.twin.retention.kpi_errors import (
    kpi_text,
)

if TYPE_CHECKING:
    from twinlab.explore.charts.kpis.retention import ParetoPlot

__all__ = ["RetentionPlan"]

_TABLE = """\
<div>{% for line in first %}<div>{{ line }}</div>{% endfor %}<table><tr>{% for name in columns %}<th>{{ name }}</th>{% endfor %}</tr>\
{% for row in rows %}<tr>{% for cell in row %}<td style="text-align:right">{{ cell }}</td>{% endfor %}</tr>{% endfor %}\
</table>{% for line in last %}<div>{{ line }}</div>{% endfor %}</div>"""


@dataclass(frozen=True)
class RetentionPlan:
    """Ways of keeping less, with their bytes, costs and measured errors; one of them may be proposed for ``twin.yaml``."""

    table: pd.DataFrame
    """One row a way: ``full_rate`` (younger cells stay; empty: all stay), ``older`` and ``resolution`` (what happens to older
    ones), ``ledger`` (kept or archived), ``codec`` of compacted cells, ``bytes`` of the twin's folder and ``archived`` bytes after it is applied,
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
    """KPIs that may change but weren't measured: no whole window of them is old enough."""
    codecs: pd.DataFrame
    """What the twin's cells take in each codec, without error: ``codec, in_use, bytes`` of the twin's folder, ``cost`` a month,
    ``decode_ns`` and ``encode_ns`` (CPU time for a cell, measured). The smallest has ways in ``table``, if it isn't in use."""
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
        return _rule(self._row, self.keep, self.margin)

    @property
    def _row(self) -> Any:  # noqa: ANN401  (a row of a DataFrame)
        if self.chosen is None:
            msg = f"no way of keeping less fits {money_text(self.budget)}; choose one of plan.table with plan.choose(row), or raise the budget"
            raise SchemaError(msg)
        return self.table.loc[self.chosen]

    @property
    def codec(self) -> str | None:
        """The codec of the chosen way; None if it is the one in use.

        Raises
        ------
        SchemaError
            If no way fits the budget and none was chosen.
        """
        found = str(self._row["codec"])
        return None if found == self.table["codec"].iloc[0] else found

    def propose(self) -> Proposal:
        """Write the chosen way to ``proposals/``; ``proposal.approve()`` writes it into ``twin.yaml``.

        Nothing changes before ``twinlab compact --apply-retention`` or `Twin.apply_retention`.

        Raises
        ------
        SchemaError
            If no way is chosen, or the chosen one changes nothing.
        """
        rule, row = self.rule, self._row
        if rule is None and self.codec is None:
            msg = f"the chosen way keeps all, which fits {money_text(self.budget)}: there is nothing to propose"
            raise SchemaError(msg)
        evidence = f"{format_bytes(row['bytes'])} instead of {format_bytes(self.table['bytes'].iloc[0])}"
        if rule is None:
            return write_proposal(
                self.folder, ("storage", "codec"), self.codec, evidence=f"{evidence}, without any error"
            )
        evidence += (
            f", {row['share_error']:.3g} percentage points mean error of daily shares of time in what is older, "
            f"{f'largest error of a KPI: {kpi_text(row)}, ' if row['kpi'] else ''}"
            f"{row['missed']:.0f} of {self.searched} exceptions and found events missed, {row['false']:.0f} false"
        )
        also: dict[tuple[str | int, ...], object] = {}
        if self.codec is not None:
            also["storage", "codec"] = self.codec
        value = rule.model_dump(mode="json", exclude_defaults=True)
        return write_proposal(self.folder, ("retention",), value, evidence=evidence, also=also)

    def plot(self) -> ParetoPlot:
        """Return a HoloViews chart of bytes against error, a point for each way."""
        from twinlab.explore.charts.kpis.retention import pareto_chart  # noqa: PLC0415  (Panel loads only when looked at)

        return pareto_chart(self.table, codecs=self.codecs, chosen=self.chosen)

    def _lines(self) -> tuple[list[str], list[list[str]], list[str]]:
        """Return the lines before the table, its rows, and the lines after it."""
        kept = f"{' and '.join(self.keep)} with a margin of {self.margin}" if self.keep else "nothing"
        measured = ", ".join(self.kpis["kpi"].unique())
        errors = f"errors from {self.days} days, {self.searched} exceptions and found events"
        errors += f"; measured KPIs: {measured}" if measured else ""
        errors += f"; KPIs not measured: {', '.join(self.unmeasured)}" if self.unmeasured else ""
        first = [f"retention for {money_text(self.budget)}; kept at full rate: {kept}", errors]
        shown = self.table[self.table["pareto"] | (self.table.index == self.chosen) | (self.table.index == 0)]
        rows = [_shown(int(number), row, self.budget.currency) for number, row in shown.iterrows()]  # type: ignore[call-overload]
        left = len(self.table) - len(shown)
        last = [f"{left} other ways are no better (plan.table)"] if left else []
        if self.chosen is None:
            last.append("none fits the budget")
        elif self.rule is None and self.codec is None:
            last.append(f"row {self.chosen} is chosen: all stays as it is")
        else:
            last.append(f"row {self.chosen} is chosen: plan.propose() writes it down for approval")
        if len(self.codecs):
            last.append(f"the twin's folder by codec of its cells, without error: {codec_text(self.codecs)}")
        return first, rows, last

    def __str__(self) -> str:
        first, rows, last = self._lines()
        cells = [list(_SHOWN), *rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells
        ]
        return "\n".join([*first, *(f"  {line}" for line in lines), *last])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        first, rows, last = self._lines()
        return str(html(_TABLE, first=first, rows=rows, last=last, columns=_SHOWN))


_SHOWN = (
    "row",
    "full rate for",
    "older",
    "ledger",
    "codec",
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
        row["codec"],
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
