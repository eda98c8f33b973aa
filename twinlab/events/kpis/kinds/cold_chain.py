"""Cold-chain compliance: the share of time at or below the warmest temperature allowed."""

from __future__ import annotations

from twinlab.events.kpis.kinds.choices import gauge, number_property
from twinlab.model.asset_types import AssetType
from twinlab.model.basics import Term
from twinlab.model.extensions.kpi_kind import KpiKind
from twinlab.model.extensions.options import Options

__all__ = ["COLD_CHAIN", "ColdChainOptions"]


class ColdChainOptions(Options):
    """Options of a KPI with ``cold_chain``."""

    signal: Term = "temperature"
    """Signal with the temperature."""
    limit: str = "upper_limit"
    """Warmest temperature allowed: a property of the asset, or a number with its unit such as "8 degC"."""


def _formula(options: ColdChainOptions, name: str, spec: AssetType) -> str:
    signal = gauge(options.signal, name, spec)
    limit = number_property(options.limit, name, spec)
    return f"time_share({signal} <= {limit})"


COLD_CHAIN = KpiKind(
    "cold_chain",
    "Cold-chain compliance",
    "Share of time in which the temperature was at or below the warmest allowed.",
    _formula,
    "%",
    ColdChainOptions,
)
