"""The registry of kinds of KPIs: those that twinlab has, and those that other packages add.

A package adds one with an entry point of the group ``twinlab.kpis`` that names a `KpiKind`; a KPI in ``twin.yaml`` then has the
kind's name as a key, with the kind's options as its value, and ``twin.kpi`` takes the name directly.
"""

from __future__ import annotations

from twinlab.model.extensions.kpi_kind import KpiKind
from twinlab.model.kpis.definition import Kpi
from twinlab.model.registry import Registry

__all__ = ["KPI_KINDS"]


def _fault(name: str, found: object) -> str:
    if not isinstance(found, KpiKind):
        return f"expected a twinlab.model.KpiKind, got a {type(found).__name__}"
    if name in Kpi.model_fields:
        return f"expected a name that isn't a key of every KPI, got {name!r}"
    return "" if found.name == name else f"expected the entry point to be called {found.name!r}, as the kind is"


_KINDS = "twinlab.events.kpis.kinds"
KPI_KINDS: Registry[KpiKind] = Registry(
    "twinlab.kpis",
    kind="kind of KPI",
    built_in={
        "cold_chain": f"{_KINDS}.cold_chain:COLD_CHAIN",
        "delay": f"{_KINDS}.delay:DELAY",
        "dwell": f"{_KINDS}.dwell:DWELL",
        "energy_per_event": f"{_KINDS}.energy_per_event:ENERGY_PER_EVENT",
        "mean_kinetic_temperature": f"{_KINDS}.mean_kinetic_temperature:MEAN_KINETIC_TEMPERATURE",
        "on_time_delivery": f"{_KINDS}.on_time_delivery:ON_TIME_DELIVERY",
        "uptime": f"{_KINDS}.uptime:UPTIME",
        "utilisation": f"{_KINDS}.utilisation:UTILISATION",
    },
    check=_fault,
)
