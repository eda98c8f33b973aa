"""Readers that give calibrated values: beside the signal, or in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Self

from twinlab.history import HistoryReader

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.model.calibration import Calibrations
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["AsOfReader", "CalibratedReader"]


class AsOfReader(HistoryReader):
    """A twin as it was known at an ingest time, with the calibrations of then; made by `twinlab.Twin.as_of`."""

    _calibrations: Callable[[], Calibrations]

    @classmethod
    def of(cls, reader: HistoryReader, calibrations: Callable[[], Calibrations]) -> Self:
        """Return a reader that reads what another one does."""
        out = cls.__new__(cls)
        out.__dict__ |= reader.__dict__
        out._calibrations = calibrations  # noqa: SLF001  (another way to make one)
        return out

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
        calibrated: bool = False,
    ) -> xr.Dataset:
        """Return the history of one asset type as known then; ``calibrated`` as in `twinlab.Twin.history`."""
        data = super().history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)
        if not calibrated:
            return data
        from twinlab.history.calibrated.datasets import with_calibrated  # noqa: PLC0415  (most reads need none)

        return with_calibrated(data, self._calibrations(), asset_type, self.model.asset_types[asset_type].signals)


class CalibratedReader:
    """A twin whose calibrated signals have their calibrated values; flags, events and assets are the twin's.

    Parameters
    ----------
    twin : TwinReader
    calibrations : Calibrations
    only : mapping of asset type to ids, optional
        Give histories of these types of these assets alone.
    """

    def __init__(
        self, twin: TwinReader, calibrations: Calibrations, *, only: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self._twin, self._calibrations, self._only = twin, calibrations, dict(only or {})

    @property
    def model(self) -> TwinModel:
        """The twin's model."""
        return self._twin.model

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
        """Return the history of one asset type with calibrated values."""
        from twinlab.history.calibrated.datasets import calibrated_in_place  # noqa: PLC0415  (most reads need none)

        if assets is None:
            assets = self._only.get(asset_type)
        data = self._twin.history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)
        return calibrated_in_place(data, self._calibrations, asset_type, self.model.asset_types[asset_type].signals)

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type."""
        return self._twin.events(event_type, start=start, stop=stop, assets=assets)

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets of one type."""
        return self._twin.assets(asset_type)

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type."""
        return self._twin.relationships(relationship)

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps at which rollups of a signal are available, finest first."""
        return self._twin.steps(asset_type, signal)
