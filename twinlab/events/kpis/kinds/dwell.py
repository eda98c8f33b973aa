"""Dwell: how long events lasted, such as the time at a hub."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twinlab.model.asset_types import EventType
from twinlab.model.extensions.kpi_kind import KpiKind
from twinlab.model.extensions.options import Options

__all__ = ["DWELL", "DwellOptions"]


class DwellOptions(Options):
    """Options of a KPI with ``dwell``."""

    quantile: Annotated[float, Field(ge=0, le=1)] | None = None
    """Which quantile of the durations, such as 0.9; by default their mean."""


def _formula(options: DwellOptions, name: str, spec: EventType) -> str:
    del name, spec
    return "mean(duration)" if options.quantile is None else f"quantile(duration, {options.quantile:g})"


DWELL = KpiKind(
    "dwell",
    "Dwell time",
    "How long the events that began in the window lasted.",
    _formula,
    "h",
    DwellOptions,
    on="event type",
    at="start",
)
