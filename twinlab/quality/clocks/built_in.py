"""The clock tests as entries of the registry, with their options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from twinlab.model.basics import Duration
from twinlab.model.extensions.options import Options
from twinlab.model.extensions.quality_test import QualityTest
from twinlab.quality.clocks.shifts import clock_flags
from twinlab.quality.clocks.summer_time import clock_changes, summer_time_flags

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["CLOCK", "SUMMER_TIME"]


class ClockOptions(Options):
    """Options of `clock_flags`; the reference is the median of all assets."""

    shift: Duration
    """Smallest shift that is suspect."""
    period: Duration = "7d"
    resolution: Duration = "10min"
    largest: Duration = "14h"
    """Largest shift that is looked for."""
    correlation: float = Field(default=0.8, gt=0, lt=1)


class SummerTimeOptions(Options):
    """Options of `summer_time_flags`."""

    zone: str
    """The zone whose summer time may have got into the data."""

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        clock_changes(zone, 0, 1)
        return zone


def _clock(  # noqa: PLR0917
    values: xr.DataArray, shift: str, period: str, resolution: str, largest: str, correlation: float
) -> xr.DataArray:
    return clock_flags(
        values, shift=shift, period=period, resolution=resolution, largest=largest, correlation=correlation
    )


CLOCK = QualityTest("clock", _clock, ClockOptions, lazy=True, scope="type")
SUMMER_TIME = QualityTest(
    "summer_time",
    summer_time_flags,
    SummerTimeOptions,
    kinds=("gauge", "state", "counter"),
    lazy=True,
    scope="observations",
)
