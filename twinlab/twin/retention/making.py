"""Make a plan: what each way of keeping less would save, and what it would change, measured on the twin's own history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.history.build.cuts import Cut
from twinlab.history.layout.grid import DAY_NS
from twinlab.history.retention.codecs import codec_sizes
from twinlab.history.retention.sizes import size_after
from twinlab.history.retention.storage_use import storage_use
from twinlab.history.write.removal import Removal
from twinlab.model.basics import parse_duration
from twinlab.model.storage.price import Money, Price
from twinlab.twin.retention.applying import cut_of, data_span
from twinlab.twin.retention.codec_table import codec_table, saved_bytes, smallest_codec
from twinlab.twin.retention.errors import ErrorEstimate, limits_of, mean_error, missed_exceptions, shares_beyond
from twinlab.twin.retention.forecast import money_text
from twinlab.twin.retention.kept import found_keys, kept_spans
from twinlab.twin.retention.kpi_errors import NO_KPI, KpiError, kpi_errors, kpi_values, kpis_of_gauges, largest
from twinlab.twin.retention.plan import RetentionPlan
from twinlab.twin.retention.ranking import best_within_budget, pareto
from twinlab.twin.retention.reduced import ReducedReader

if TYPE_CHECKING:
    from twinlab.history.store.view import View
    from twinlab.ledger.archive_sizes import Archivable
    from twinlab.model.reader import TwinReader

__all__ = ["make_plan"]

#: Ages that are tried, in days; those that leave nothing to remove aren't.
_AGES = (7, 14, 30, 60, 90, 180, 365, 730, 1825)
#: What is done with older cells, and to how many resolutions they are rounded.
_TREATMENTS: tuple[tuple[Literal["rollups", "rounded"], int], ...] = (("rollups", 4), ("rounded", 4), ("rounded", 16))
#: Days that are sampled for errors, and days before the cut in which exceptions are searched.
_SAMPLED, _SEARCHED = 16, 28
#: Columns of a plan's table.
COLUMNS = (
    "full_rate", "older", "resolution", "ledger", "codec", "bytes", "archived", "cost", "share_error", "error_low", "error_high",
    "kpi", "kpi_error", "kpi_low", "kpi_high", "kpi_unit", "kpi_relative", "kpi_lost", "missed", "false", "pareto", "fits",
)  # fmt: skip


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
    # Codec -> age -> bytes.
    after: dict[str, dict[int, float]]


def _measure(
    reader: TwinReader,
    view: View,
    cuts: dict[int, int],
    *,
    keep: Sequence[Literal["events", "flagged"]],
    margin_ns: int,
    days: list[int],
    codecs: Sequence[str],
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
        sizes = size_after(view, removal, list(cuts.values()), columns, codecs=codecs)
        of_codecs = {view.catalog.codec: sizes.after, **sizes.in_codecs}
        after = {codec: {age: some[cut] for age, cut in cuts.items()} for codec, some in of_codecs.items()}
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
    codecs = codec_sizes(view)
    smallest = smallest_codec(codecs)
    smaller = [] if smallest is None else [smallest]
    ways, searched = (
        _measure(reader, view, cuts, keep=keep, margin_ns=parse_duration(margin), days=days, codecs=smaller)
        if cuts
        else ([], 0)
    )
    movable = {age: archivable(cut) for age, cut in cuts.items()}
    nothing = _Way("rollups", 0, ErrorEstimate(0.0, 0.0, 0.0, 0, 0), [], 0, 0, 0.0, {})
    rows = []
    for codec in (view.catalog.codec, *smaller):
        every, others = saved_bytes(codecs, codec)
        rows.append(_row(nothing, "", codec, total - every, 0.0))
        for way in ways:
            for age in cuts:
                size, moved = total - way.before + way.after[codec][age] - others, movable[age]
                rows.append(_row(way, f"{age}d", codec, size, 0.0))
                if moved.archived:
                    rows.append(_row(way, f"{age}d", codec, size - moved.freed, moved.archived))
    table = pd.DataFrame(rows)
    table["cost"] = own.amount * table["bytes"] / 1e9 + archive.amount * table["archived"] / 1e9
    table["fits"] = table["cost"] <= budget.amount
    table["pareto"] = pareto(table)
    chosen, kpis = best_within_budget(table), _kpi_table(ways)
    unmeasured = tuple(name for name in kpis_of_gauges(reader.model) if name not in set(kpis["kpi"]))
    return RetentionPlan(
        table[list(COLUMNS)],
        budget,
        tuple(keep),
        margin,
        searched,
        len(days),
        kpis,
        unmeasured,
        codec_table(codecs, total, own.amount),
        folder,
        chosen,
    )


def _kpi_table(ways: Sequence[_Way]) -> pd.DataFrame:
    """Return the errors of all KPIs in each way of treating older cells."""
    rows = [{"older": way.older, "resolution": way.resolution, **one.row()} for way in ways for one in way.kpis]
    table = pd.DataFrame(rows, columns=["older", "resolution", *NO_KPI, "windows"])
    return table.rename(columns={name: name.removeprefix("kpi_") for name in NO_KPI})


def _row(way: _Way, full_rate: str, codec: str, size: float, moved: float) -> dict[str, object]:
    worst = largest(way.kpis)
    return {
        **(NO_KPI if worst is None else worst.row()),
        "full_rate": full_rate, "older": way.older, "resolution": way.resolution, "ledger": "archive" if moved else "keep",
        "codec": codec, "bytes": float(size), "archived": moved, "share_error": way.error.mean, "error_low": way.error.low,
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
