"""The protocol for reading a twin, which pages and plots need: a `Twin`, an `as_of` view and a fake implement it.

`DelegatingReader` is the base of readers that change a part of what another one gives.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.model.twinmodel import TwinModel

__all__ = ["DelegatingReader", "SomeAssets", "TwinReader"]


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


class DelegatingReader(ABC):
    """Reads what another reader does; subclasses override what they change."""

    @property
    @abstractmethod
    def _source(self) -> TwinReader:
        """The other reader."""

    @property
    def model(self) -> TwinModel:
        """The twin's model."""
        return self._source.model

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
        return self._source.history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type that overlap ``[start, stop)``, of some assets if given."""
        return self._source.events(event_type, start=start, stop=stop, assets=assets)

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets of one type with their properties, indexed by asset id in natural order."""
        return self._source.assets(asset_type)

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type: ``source, target, valid_from, valid_until``."""
        return self._source.relationships(relationship)

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps at which rollups of a signal are available, finest first."""
        return self._source.steps(asset_type, signal)


class SomeAssets(DelegatingReader):
    """A twin whose histories of some asset types have some assets alone.

    Parameters
    ----------
    twin : TwinReader
    only : mapping of asset type to ids
        Assets with a history.
    """

    def __init__(self, twin: TwinReader, only: Mapping[str, Sequence[str]]) -> None:
        self._twin, self._only = twin, dict(only)

    @property
    def _source(self) -> TwinReader:
        return self._twin

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
        """Return the history of one asset type, of all the assets it is limited to if none are given."""
        wanted = self._only.get(asset_type) if assets is None else assets
        return self._twin.history(asset_type, signals=signals, assets=wanted, start=start, stop=stop, step=step)
