"""The tests of one signal as entries of the registry, with their options and their reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator

from twinlab.model.extensions.options import Options, Quantity
from twinlab.model.extensions.quality_test import QualityTest
from twinlab.quality.signals.climatology import SeasonSpan, climatology_flags, known_zone

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["CLIMATOLOGY"]


class SeasonOptions(Options):
    """Options of a `SeasonSpan`."""

    suspect: tuple[Quantity, Quantity]
    """What is normal; values outside it are suspect."""
    fail: tuple[Quantity, Quantity] | None = None
    """A wider span; values outside it fail."""
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = tuple(range(1, 13))
    """All by default."""
    hours: tuple[int, int] = (0, 24)
    """Local hours from, to; [22, 6] goes over midnight."""

    def span(self) -> SeasonSpan:
        """Return the options as the test takes them."""
        return SeasonSpan(self.suspect, self.fail, self.months, self.hours)


class ClimatologyOptions(Options):
    """Options of `climatology_flags`."""

    spans: tuple[SeasonOptions, ...] = Field(min_length=1)
    """The last one that covers a value counts."""
    zone: str = "UTC"
    """Time zone of months and hours."""

    @field_validator("spans")
    @classmethod
    def _valid_spans(cls, spans: tuple[SeasonOptions, ...]) -> tuple[SeasonOptions, ...]:
        for each in spans:
            each.span()
        return spans

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        return known_zone(zone).key


def _climatology(values: xr.DataArray, *, spans: tuple[SeasonOptions, ...], zone: str) -> xr.DataArray:
    return climatology_flags(values, spans=[each.span() for each in spans], zone=zone)


CLIMATOLOGY = QualityTest("climatology", _climatology, ClimatologyOptions, kinds=("gauge",), lazy=True)
