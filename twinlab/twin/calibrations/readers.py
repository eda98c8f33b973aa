"""Readers that give calibrated values: beside the signal, or in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

from twinlab.history import HistoryReader
from twinlab.model.reader import DelegatingReader
from twinlab.twin.asking.methods import AskMethods
from twinlab.twin.finders.views import events_on_view

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.compute.handles import Opening
    from twinlab.model.calibration import Calibrations
    from twinlab.model.reader import TwinReader

__all__ = ["AsOfReader", "CalibratedReader"]


class AsOfReader(AskMethods, HistoryReader):
    """A twin as it was known at an ingest time, with the calibrations of then; made by `twinlab.Twin.as_of`."""

    _calibrations: Callable[[], Calibrations]
    #: How the workers of a Dask cluster open it.
    opening: Callable[[], Opening]

    @classmethod
    def of(
        cls, reader: HistoryReader, calibrations: Callable[[], Calibrations], opening: Callable[[], Opening]
    ) -> Self:
        """Return a reader that reads what another one does."""
        out = cls.__new__(cls)
        out.__dict__ |= reader.__dict__
        out._calibrations = calibrations  # noqa: SLF001  (another way to make one)
        out.opening = opening
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

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type, as `twinlab.Twin.events`; those of a finder are found anew in what was known then."""
        if event_type in self.model.events:
            return events_on_view(self, event_type, start=start, stop=stop, assets=assets)
        return super().events(event_type, start=start, stop=stop, assets=assets)


class CalibratedReader(DelegatingReader):
    """A twin whose calibrated signals have their calibrated values; flags, events and assets are the twin's.

    Parameters
    ----------
    twin : TwinReader
    calibrations : Calibrations
    """

    def __init__(self, twin: TwinReader, calibrations: Calibrations) -> None:
        self._twin, self._calibrations = twin, calibrations

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
        """Return the history of one asset type with calibrated values."""
        from twinlab.history.calibrated.datasets import calibrated_in_place  # noqa: PLC0415  (most reads need none)

        data = self._twin.history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)
        return calibrated_in_place(data, self._calibrations, asset_type, self.model.asset_types[asset_type].signals)
