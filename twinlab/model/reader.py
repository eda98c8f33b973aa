"""The protocol for reading a twin, which pages and plots need: a `Twin`, an `as_of` view and a fake implement it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.model.twinmodel import TwinModel

__all__ = ["TwinReader"]


@runtime_checkable
class TwinReader(Protocol):
    """Read access to a twin, live or as of some time."""

    @property
    def model(self) -> TwinModel:
        """The twin's model."""

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the history of one asset type, dims ``time, asset``; see `twinlab.Twin.history`."""

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type that overlap ``[start, stop)``, of some assets if given."""

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets of one type with their properties, indexed by asset id in natural order."""

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type: ``source, target, valid_from, valid_until``."""

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps at which rollups of a signal are available, finest first."""
