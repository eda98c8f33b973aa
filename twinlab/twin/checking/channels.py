"""The data of one signal that the checks read: windows with counts of flags, and cells; both lazy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from twinlab.errors import UnknownTermError
from twinlab.history.calibrated.datasets import calibrated_in_place
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import AssetType, Signal, parse_duration
from twinlab.quality.cells import margins

if TYPE_CHECKING:
    import numpy.typing as npt
    import xarray as xr

    from twinlab.history import HistoryReader
    from twinlab.model.calibration import Calibrations

__all__ = ["Channels", "Properties", "channels_of", "properties_of"]

#: Asset -> property -> value.
Properties = dict[str, dict[str, object]]

_HOUR: Final = 3600 * 10**9
_QUARTER: Final = _HOUR // 4
#: Windows of all assets that are read at once, at most; a longer check reads windows of a day.
_MOST_WINDOWS: Final = 4_000_000
#: Short windows of all assets that are read at once, at most.
_MOST_SHORT: Final = 20_000_000


@dataclass(frozen=True)
class Channels:
    """One signal of all assets of a type, in the span that is checked."""

    asset_type: str
    kind: AssetType
    name: str
    windows: xr.Dataset
    """Rollups, dims ``time, asset``: ``<signal>_mean`` and others, and numbers of cells by flag."""
    window: np.timedelta64
    cells: xr.Dataset
    """Values and flags at the signal's cadence."""
    around: xr.Dataset
    """The same, with as many cells before and after as the tests of the signal look at."""
    properties: Properties
    calibrated: xr.DataArray | None = None
    """Means of the windows with the calibrations that apply; None if there are none."""
    short: xr.Dataset | None = None
    """Rollups of a quarter of an hour, or at the signal's cadence if that is longer; None if that is above an hour, or there
    are too many of them."""

    @property
    def signal(self) -> Signal:
        """The signal in the model."""
        return self.kind.signals[self.name]

    @property
    def assets(self) -> list[str]:
        """Ids, in the order of the data."""
        return [str(one) for one in self.windows["asset"].to_numpy()]

    def count(self, flag: str) -> npt.NDArray[np.int64]:
        """Return the number of cells with a flag ("fail"), [time, asset]."""
        counts = self.windows[f"{self.name}_{flag}"].transpose("time", "asset").to_numpy()
        found: npt.NDArray[np.int64] = np.nan_to_num(counts).astype(np.int64)
        return found

    def valued(self) -> npt.NDArray[np.int64]:
        """Return the number of cells with a value, [time, asset]."""
        return self.count("pass") + self.count("suspect") + self.count("fail")


def channels_of(
    reader: HistoryReader,
    *,
    asset_types: Sequence[str] | None = None,
    signals: Sequence[str] | None = None,
    start: object = None,
    stop: object = None,
    calibrations: Calibrations | None = None,
) -> list[Channels]:
    """Return the signals to check, in the model's order; those without an asset are left out.

    Raises
    ------
    UnknownTermError
        If the model has no such asset type, or none of them has a signal of that name; shows the nearest.
    """
    model = reader.model
    for one in asset_types or ():
        if one not in model.asset_types:
            msg = f"the twin has no asset type {one!r}{nearest(one, model.asset_types)}"
            raise UnknownTermError(msg)
    kinds = {name: kind for name, kind in model.asset_types.items() if asset_types is None or name in asset_types}
    known = {name for kind in kinds.values() for name in kind.signals}
    for one in signals or ():
        if one not in known:
            msg = f"no asset type that is checked has a signal {one!r}{nearest(one, known)}"
            raise UnknownTermError(msg)
    found: list[Channels] = []
    for asset_type, kind in kinds.items():
        wanted = [name for name in kind.signals if signals is None or name in signals]
        properties = properties_of(reader, asset_type) if wanted else {}
        for name in wanted:
            cells = reader.history(asset_type, signals=[name], start=start, stop=stop)
            if "time" not in cells.dims or not (cells.sizes["time"] and cells.sizes["asset"]):
                continue
            step = _step(reader.steps(asset_type, name), kind.signals[name], cells)
            windows = reader.history(asset_type, signals=[name], start=start, stop=stop, step=step)
            size = np.timedelta64(parse_duration(step), "ns")
            spec, short = kind.signals[name], None
            fine = "15min" if _QUARTER % spec.cadence_ns == 0 else spec.cadence
            number = cells.sizes["time"] * spec.cadence_ns // parse_duration(fine) * cells.sizes["asset"]
            if spec.cadence_ns <= _HOUR and number <= _MOST_SHORT:
                short = reader.history(asset_type, signals=[name], start=start, stop=stop, step=fine)
            around = cells
            if start is not None or stop is not None:
                edges = (at.astype("datetime64[ns]") for at in cells["time"].to_numpy()[[0, -1]])
                reach = (np.timedelta64(one * spec.cadence_ns, "ns") for one in margins(spec))
                (first, last), (before, after) = edges, reach
                end = last + np.timedelta64(spec.cadence_ns, "ns")
                around = reader.history(asset_type, signals=[name], start=first - before, stop=end + after)
            calibrated = _calibrated(windows, name, kind, asset_type, calibrations)
            found.append(Channels(asset_type, kind, name, windows, size, cells, around, properties, calibrated, short))
    return found


def _calibrated(
    windows: xr.Dataset, name: str, kind: AssetType, asset_type: str, calibrations: Calibrations | None
) -> xr.DataArray | None:
    """Return the calibrated means of a signal; None if none of its sensors is calibrated."""
    every = () if calibrations is None else calibrations.calibrations
    mine = [one for one in every if one.signal == name and one.asset.partition("/")[0] == asset_type]
    if not mine or calibrations is None or f"{name}_mean" not in windows:
        return None
    return calibrated_in_place(windows, calibrations, asset_type, kind.signals)[f"{name}_mean"]


def properties_of(reader: HistoryReader, asset_type: str) -> Properties:
    """Return the properties of the assets of a type that have a value."""
    rows = reader.assets(asset_type).to_dict("index")
    return {
        str(asset): {str(name): value for name, value in row.items() if value is not None and value == value}  # noqa: PLR0124  (not NaN)
        for asset, row in rows.items()
    }


def _step(stored: Sequence[str], signal: Signal, cells: xr.Dataset) -> str:
    """Return the step of the windows: the finest stored one of an hour or more; a day if there are very many."""
    long = [step for step in stored if parse_duration(step) >= _HOUR]
    if not long:
        return signal.cadence
    span = cells.sizes["time"] * signal.cadence_ns
    number = span / parse_duration(long[0]) * cells.sizes["asset"]
    return long[0] if number <= _MOST_WINDOWS else long[-1]
