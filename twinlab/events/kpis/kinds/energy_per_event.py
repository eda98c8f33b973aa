"""Energy per event, such as the electricity of a hub's compressors per parcel leg that begins there."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twinlab.events.kpis.kinds.choices import state_condition
from twinlab.model.asset_types import AssetType
from twinlab.model.basics import Term
from twinlab.model.extensions.kpi_kind import KpiKind
from twinlab.model.extensions.options import Options

__all__ = ["ENERGY_PER_EVENT", "EnergyOptions"]


class EnergyOptions(Options):
    """Options of a KPI with ``energy_per_event``."""

    event: Term
    """Event type whose events the energy is divided by."""
    signal: Term
    """State signal of the consumer."""
    states: Annotated[list[str], Field(min_length=1)]
    """States in which it draws its rated power; in all others nothing."""
    power: str
    """Rated electric power with its unit: "3 kW"."""


def _formula(options: EnergyOptions, name: str, spec: AssetType) -> str:
    on = state_condition(options.signal, options.states, name, spec)
    return f"time_total({on}) / count({options.event}) * {options.power}"


ENERGY_PER_EVENT = KpiKind(
    "energy_per_event",
    "Energy per event",
    "Rated power times the time in which the consumers ran, divided by the number of events; not metered.",
    _formula,
    "kWh",
    EnergyOptions,
)
