"""On-time delivery: the share of events that ended no later than planned plus a tolerance."""

from __future__ import annotations

from twinlab.model.asset_types import EventType
from twinlab.model.basics import Duration
from twinlab.model.extensions.kpi_kind import KpiKind
from twinlab.model.extensions.options import Options

__all__ = ["ON_TIME_DELIVERY", "OnTimeOptions"]


class OnTimeOptions(Options):
    """Options of a KPI with ``on_time_delivery``."""

    tolerance: Duration = "15min"
    """How much later than planned still counts as on time."""


def _formula(options: OnTimeOptions, name: str, spec: EventType) -> str:
    del name, spec
    return f"share(end_delay <= {options.tolerance} where not cancelled)"


ON_TIME_DELIVERY = KpiKind(
    "on_time_delivery",
    "On-time delivery",
    "Share of the events planned to end in the window that ended no later than planned plus the tolerance; cancelled ones don't "
    "count.",
    _formula,
    "%",
    OnTimeOptions,
    on="event type",
    at="planned_end",
)
