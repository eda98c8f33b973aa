"""What a removal changes in the twin's own KPIs: the difference to the values that all cells give, window by window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinlab.events.kpis.compute import kpi
from twinlab.events.kpis.over_time.results import signals_in
from twinlab.model.basics import parse_duration
from twinlab.model.kpis.formulas import TimeAggregate
from twinlab.twin.retention.errors import ErrorEstimate, mean_error

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["NO_KPI", "KpiError", "KpiValues", "kpi_errors", "kpi_text", "kpi_values", "kpis_of_gauges", "largest"]

_DAY = 86_400 * 10**9
#: Spans of each KPI that are sampled; of one with extremes more, since a few windows have nearly all of its error.
_SAMPLED, _SAMPLED_EXTREMES = 16, 64


@dataclass(frozen=True)
class KpiValues:
    """Values of a KPI by sampled span and window in it, in its unit."""

    unit: str
    values: NDArray[np.float64]


@dataclass(frozen=True)
class KpiError:
    """The mean absolute error of a KPI's values, in its unit, with its 95 % interval."""

    name: str
    unit: str
    error: ErrorEstimate
    relative: float
    """The error, relative to the mean size of the values; infinite if there is nothing to compare."""
    lost: float
    """Share of the windows with a value that have none any more; they aren't in the error."""
    windows: int
    """Number of windows with a value."""

    def row(self) -> dict[str, object]:
        """Return the columns of a plan's table."""
        error = self.error
        return {
            "kpi": self.name, "kpi_error": error.mean, "kpi_low": error.low, "kpi_high": error.high, "kpi_unit": self.unit,
            "kpi_relative": self.relative, "kpi_lost": self.lost, "windows": self.windows,
        }  # fmt: skip


#: The same without a KPI.
NO_KPI: dict[str, object] = {
    "kpi": "", "kpi_error": 0.0, "kpi_low": 0.0, "kpi_high": 0.0, "kpi_unit": "", "kpi_relative": 0.0, "kpi_lost": 0.0,
}  # fmt: skip


def kpi_text(row: Any) -> str:  # noqa: ANN401  (a row of a DataFrame)
    """Return the error of the KPI of a table's row as text; empty without a KPI."""
    if not row["kpi"]:
        return ""
    error = f"{row['kpi_error']:.2g} [{row['kpi_low']:.2g}, {row['kpi_high']:.2g}] {row['kpi_unit']}"
    parts = [error] if np.isfinite(row["kpi_error"]) else []
    parts += [f"{row['kpi_lost']:.0%} of windows without a value"] if row["kpi_lost"] else []
    return f"{row['kpi']}: {', '.join(parts)}"


def kpis_of_gauges(model: TwinModel) -> list[str]:
    """Return the KPIs whose values depend on cells of gauges; a removal can't change the others."""
    return [
        name
        for name, one in model.kpis.items()
        if any(
            model.asset_types[part.asset_type].signals[signal].kind == "gauge"
            for part in one.bound(model).aggregates
            if isinstance(part, TimeAggregate)
            for signal in signals_in([part])
        )
    ]


def kpi_values(reader: TwinReader, *, since_ns: int, before_ns: int) -> dict[str, KpiValues]:
    """Return the values of the KPIs that depend on gauges, in at most 16 spans of a span of time (64 of extremes), always the same ones.

    A span is a window of the KPI's period, or the windows of a day if they are shorter. A KPI is left out if no whole window of it
    is before ``before_ns``.
    """
    out = {}
    for name in kpis_of_gauges(reader.model):
        aggregates = reader.model.kpis[name].bound(reader.model).aggregates
        extremes = any(one.function in {"time_min", "time_max"} for one in aggregates)
        period = reader.model.kpis[name].period
        width = max(parse_duration(period), _DAY)
        unit, parts = "", []
        for first, stop in _runs(
            _starts(since_ns, before_ns, width, _SAMPLED_EXTREMES if extremes else _SAMPLED), width
        ):
            one = kpi(reader, name, every=period, start=np.datetime64(first, "ns"), stop=np.datetime64(stop, "ns"))
            unit = str(one.attrs["units"])
            parts.append(one["value"].values.reshape((stop - first) // width, -1))
        if parts:
            out[name] = KpiValues(unit, np.concatenate(parts))
    return out


def _runs(starts: Sequence[int], width: int) -> list[tuple[int, int]]:
    """Return spans [start, stop) of windows that follow each other: reading them at once costs less than one by one."""
    out: list[tuple[int, int]] = []
    for one in starts:
        if out and out[-1][1] == one:
            out[-1] = out[-1][0], one + width
        else:
            out.append((one, one + width))
    return out


def _starts(since_ns: int, before_ns: int, width: int, most: int) -> list[int]:
    """Return the starts of at most so many of the whole windows of a span, which begin at its first midnight."""
    first = -(-since_ns // _DAY) * _DAY
    every = np.arange(first, before_ns - width + 1, width)
    if len(every) > most:
        every = np.sort(np.random.default_rng(2).choice(every, most, replace=False))
    return [int(one) for one in every]


def kpi_errors(whole: Mapping[str, KpiValues], reduced: Mapping[str, KpiValues]) -> list[KpiError]:
    """Return the error of each KPI, from its values with all cells and those after a removal."""
    out = []
    for name, was in whole.items():
        before, after = was.values, reduced[name].values
        known = np.isfinite(before)
        size = float(np.abs(before[known]).mean()) if known.any() else 0.0
        error = mean_error(np.abs(before - after))
        if not error.days and known.any():
            # No window is left to compare.
            error = ErrorEstimate(np.nan, np.nan, np.nan, 0, 0)
        relative = 0.0 if error.mean == 0 else error.mean / size if size and error.days else np.inf
        lost = float((known & ~np.isfinite(after)).sum() / max(1, known.sum()))
        out.append(KpiError(name, was.unit, error, relative, lost, int(known.sum())))
    return out


def largest(errors: Sequence[KpiError]) -> KpiError | None:
    """Return the KPI with most windows lost; of those with as many, the one with the largest relative error."""
    return max(errors, key=lambda one: (one.lost, one.relative), default=None)
