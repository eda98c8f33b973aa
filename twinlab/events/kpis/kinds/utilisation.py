"""Utilisation: the share of time in which an asset was at work, of the time in which it could have been."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twinlab.events.kpis.kinds.choices import state_condition
from twinlab.model.asset_types import AssetType
from twinlab.model.basics import Term
from twinlab.model.extensions.kpi_kind import KpiKind
from twinlab.model.extensions.options import Options

__all__ = ["UTILISATION", "UtilisationOptions"]


class UtilisationOptions(Options):
    """Options of a KPI with ``utilisation``."""

    signal: Term
    """State signal that says what the asset does."""
    busy: Annotated[list[str], Field(min_length=1)]
    """States in which it is at work."""
    unavailable: list[str] = Field(default_factory=list)
    """States in which it couldn't work, such as charging: that time doesn't count."""


def _formula(options: UtilisationOptions, name: str, spec: AssetType) -> str:
    busy = state_condition(options.signal, options.busy, name, spec)
    if not options.unavailable:
        return f"time_share({busy})"
    both = [one for one in options.busy if one in options.unavailable]
    if both:
        msg = f"expected states that are either busy or unavailable, got {both[0]!r} in both; remove it from one"
        raise ValueError(msg)
    off = state_condition(options.signal, options.unavailable, name, spec)
    return f"time_total({busy}) / time_total(not ({off}))"


UTILISATION = KpiKind(
    "utilisation",
    "Utilisation",
    "Share of time in which the asset was at work, of the time in which it could have been.",
    _formula,
    "%",
    UtilisationOptions,
    limits=(0.0, 100.0),
)
