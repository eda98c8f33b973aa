"""Mean kinetic temperature: the constant temperature at which as much of a substance would decay as did."""

from __future__ import annotations

from twinlab.events.kpis.kinds.choices import gauge
from twinlab.model.asset_types import AssetType
from twinlab.model.basics import Term
from twinlab.model.extensions.kpi_kind import KpiKind
from twinlab.model.extensions.options import Options

__all__ = ["MEAN_KINETIC_TEMPERATURE", "KineticOptions"]


class KineticOptions(Options):
    """Options of a KPI with ``mean_kinetic_temperature``."""

    signal: Term = "temperature"
    """Signal with the temperature."""


def _formula(options: KineticOptions, name: str, spec: AssetType) -> str:
    return f"kinetic_mean({gauge(options.signal, name, spec)})"


MEAN_KINETIC_TEMPERATURE = KpiKind(
    "mean_kinetic_temperature",
    "Mean kinetic temperature",
    "The constant temperature at which as much of a substance would decay as did (ICH Q1A(R2), USP 1079.2; dH/R = 10,000 K).",
    _formula,
    "degC",
    KineticOptions,
)
