"""Add calibrated variables to a Dataset of history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.history.calibrated.cells import CalibratedCells, Corrections
from twinlab.history.calibrated.windows import STATISTICS, CalibratedWindows
from twinlab.history.read.direct import source_of, with_source
from twinlab.history.read.lazy import Lazy, LazyWindows
from twinlab.model.calibration import Calibration, Calibrations, calibrated
from twinlab.model.signal import Signal
from twinlab.model.twinmodel import parse_duration

__all__ = ["calibrated_in_place", "with_calibrated"]

_SHOWN = 3


def with_calibrated(
    data: xr.Dataset, calibrations: Calibrations, asset_type: str, signals: Mapping[str, Signal]
) -> xr.Dataset:
    """Return a Dataset of history with a calibrated variable beside each gauge, equal to it where nothing is calibrated.

    Parameters
    ----------
    data : Dataset (time, asset)
        As `twinlab.history.HistoryReader.history` returns it, of cells or of windows.
    calibrations : Calibrations
        Those of other asset types are ignored.
    asset_type : str
    signals : mapping of name to Signal
        Of the asset type.

    Returns
    -------
    Dataset
        ``<signal>_calibrated`` of cells; of windows ``<signal>_calibrated_mean``, ``_min``, ``_max`` and ``_sum``, which are
        those of the calibrated cells also where a calibration changes within a window. Counts and flags are the signal's.

    Raises
    ------
    SchemaError
        If a signal of the model has the name of a calibrated variable.
    """
    out: dict[str, xr.DataArray] = {}
    for given, made, variable in _calibrated(data, calibrations, asset_type, signals):
        if made in data:
            msg = f"expected no variable {made!r} beside {given!r}: the model has a signal of this name; rename it"
            raise SchemaError(msg)
        out[made] = variable
    return data.assign(out)


def calibrated_in_place(
    data: xr.Dataset, calibrations: Calibrations, asset_type: str, signals: Mapping[str, Signal]
) -> xr.Dataset:
    """Return a Dataset of history whose gauges have their calibrated values under their own names; as `with_calibrated`."""
    found = _calibrated(data, calibrations, asset_type, signals)
    return data.assign({given: variable for given, _, variable in found})


def _calibrated(
    data: xr.Dataset, calibrations: Calibrations, asset_type: str, signals: Mapping[str, Signal]
) -> Iterator[tuple[str, str, xr.DataArray]]:
    """Yield a variable's name, that of its calibrated one, and this."""
    for name, spec in signals.items():
        several = tuple(
            one for one in calibrations.calibrations if one.signal == name and one.asset.startswith(f"{asset_type}/")
        )
        for given, made in _variables(name) if spec.kind == "gauge" else ():
            if given in data:
                yield given, made, _corrected(data[given], several, f"{name}_qc" if given == name else "")


def _variables(name: str) -> list[tuple[str, str]]:
    windows = [(f"{name}_{what}", f"{name}_calibrated_{what}") for what in STATISTICS]
    return [(name, f"{name}_calibrated"), *windows]


def _corrected(variable: xr.DataArray, several: tuple[Calibration, ...], flags: str) -> xr.DataArray:
    ids = [str(one) for one in variable["asset"].values]
    by_asset: dict[str, list[Calibration]] = {}
    for one in several:
        by_asset.setdefault(one.asset.partition("/")[2], []).append(one)
    mine = {place: tuple(by_asset[one]) for place, one in enumerate(ids) if one in by_asset}
    chosen = [one for found in mine.values() for one in found]
    if not mine:
        out = variable
    else:
        source = source_of(variable.variable._data)  # noqa: SLF001  (`data` would load it)
        out = calibrated(variable, chosen) if source is None else _lazy(variable, source, mine)
    # A copy has attributes of its own; the values may be the signal's.
    out = out.copy(deep=False)
    out.attrs = _attributes(variable.attrs, chosen, flags)
    return out


def _attributes(given: Mapping[str, Any], chosen: list[Calibration], flags: str) -> dict[str, Any]:
    # Corrected values aren't multiples of the signal's resolution.
    out = {str(key): value for key, value in given.items() if key not in ("resolution", "ancillary_variables")}
    out["long_name"] = f"{given.get('long_name', '')}, calibrated".lstrip(", ")
    if flags:
        out["ancillary_variables"] = flags
    shown = "; ".join(f"{one.asset}: {one.reason}" for one in chosen[:_SHOWN])
    more = f"; and {len(chosen) - _SHOWN} more" if len(chosen) > _SHOWN else ""
    out["calibrations"] = f"{len(chosen)} applied on read ({shown}{more})" if chosen else "none: equal to the signal"
    if flags:
        comment = str(given.get("comment", "")).rstrip(". ")
        out["comment"] = ". ".join(filter(None, [comment, "Flags are of the values before calibration"]))
    return out


def _lazy(variable: xr.DataArray, source: Lazy, mine: dict[int, tuple[Calibration, ...]]) -> xr.DataArray:
    step = parse_duration(source.step) if isinstance(source, LazyWindows) else source.reader.group.cadence_ns
    times = variable["time"].values.astype("datetime64[ns]").astype(np.int64)
    origin = int(times[0]) - source.first * step if len(times) else 0
    columns = source.reader.columns.tolist()
    corrections = Corrections({columns[place]: found for place, found in mine.items()}, origin)
    same = source.reader, source.name, source.first, source.length
    made: Lazy = (
        CalibratedWindows(*same, plain=source, corrections=corrections)
        if isinstance(source, LazyWindows)
        else CalibratedCells(*same, plain=source, corrections=corrections)
    )
    return with_source(variable, made)
