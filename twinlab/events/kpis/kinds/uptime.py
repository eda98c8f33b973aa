"""Uptime: the share of time in which an asset was in one of the states that count as up."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twinlab.events.kpis.kinds.choices import state_condition
from twinlab.model.asset_types import AssetType
from twinlab.model.basics import Term
from twinlab.model.extensions.kpi_kind import KpiKind
from twinlab.model.extensions.options import Options

__all__ = ["UPTIME", "UptimeOptions"]


class UptimeOptions(Options):
    """Options of a KPI with ``uptime``."""

    signal: Term
    """State signal that says whether the asset is up."""
    states: Annotated[list[str], Field(min_length=1)]
    """States that count as up; in all others, known ones, it is down."""


def _formula(options: UptimeOptions, name: str, spec: AssetType) -> str:
    return f"time_share({state_condition(options.signal, options.states, name, spec)})"


UPTIME = KpiKind(
    "uptime",
    "Uptime",
    "Share of time in which the asset was in one of the states that count as up.",
    _formula,
    "%",
    UptimeOptions,
)
