"""Delay: minutes by which events began or ended later than planned, in all or on average; by cause with ``by=``."""

from __future__ import annotations

from typing import Literal

from twinlab.model.asset_types import EventType
from twinlab.model.extensions.kpi_kind import KpiKind
from twinlab.model.extensions.options import Options

__all__ = ["DELAY", "DelayOptions"]


class DelayOptions(Options):
    """Options of a KPI with ``delay``."""

    of: Literal["start", "end"] = "end"
    """Which of the event's times counts."""
    statistic: Literal["sum", "mean", "median"] = "sum"
    """All minutes, or those of an event on average. What is early doesn't make up for what is late in a sum."""


def _formula(options: DelayOptions, name: str, spec: EventType) -> str:
    del name, spec
    column = f"{options.of}_delay"
    late = f"{column} > 0 s and not cancelled" if options.statistic == "sum" else "not cancelled"
    return f"{options.statistic}({column} where {late})"


DELAY = KpiKind(
    "delay",
    "Delay",
    "Minutes by which events were later than planned; cancelled ones don't count. A cause is a property or link of the event, given "
    "as `by`.",
    _formula,
    "min",
    DelayOptions,
    on="event type",
)
