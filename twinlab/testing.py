"""Fakes for tests, of ours and of users: a twin that lives in memory and reads like a real one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from twinlab.errors import UnknownTermError
from twinlab.model.flags import Flag, flag_attributes
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import TwinModel, parse_duration

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    from twinlab.model.twinmodel import Signal

__all__ = ["FakeTwin"]

_STEPS = ("1min", "15min", "1h", "4h", "1d")
_GOOD = (Flag.PASS, Flag.SUSPECT)


class FakeTwin:
    """A `TwinReader` over xarray Datasets and pandas DataFrames in memory, with rollups computed when asked for.

    Parameters
    ----------
    model : TwinModel
        The twin's words.
    histories : mapping of asset type to Dataset
        Dims ``time, asset``; a variable a signal, and optionally ``<signal>_qc`` with QARTOD numbers (uint8). All
        signals of one type share one regular time axis. Without flags, values pass and NaN is missing.
    events, assets, relationships : mappings of name to DataFrame
        As the `TwinReader` protocol returns them.
    open_code : str
        Python that opens this twin under the name ``twin``, for copied code.

    Examples
    --------
    >>> twin = FakeTwin.example(days=2, trips=10)
    >>> twin.steps("station", "temperature")
    ('15min', '1h', '4h', '1d')
    >>> dict(twin.history("station", step="1d").sizes)
    {'time': 2, 'asset': 3, 'fan_state': 2}
    """

    def __init__(
        self,
        model: TwinModel,
        *,
        histories: Mapping[str, xr.Dataset] | None = None,
        events: Mapping[str, pd.DataFrame] | None = None,
        assets: Mapping[str, pd.DataFrame] | None = None,
        relationships: Mapping[str, pd.DataFrame] | None = None,
        open_code: str = "twin = ...  # open your twin here",
    ) -> None:
        self._model = model
        self._histories = dict(histories or {})
        self._events = dict(events or {})
        self._assets = dict(assets or {})
        self._relationships = dict(relationships or {})
        self._rollups: dict[tuple[str, str], xr.Dataset] = {}
        self.open_code = open_code

    @classmethod
    def example(cls, *, days: int = 60, trips: int = 2_000, seed: int = 1) -> FakeTwin:
        """Return a seeded twin of three stations (minutely) and the trips between them, with planted faults."""
        rng = np.random.default_rng(seed)
        opening = (
            f"from twinlab.testing import FakeTwin\n\ntwin = FakeTwin.example(days={days}, trips={trips}, seed={seed})"
        )
        return cls(
            TwinModel.model_validate(_EXAMPLE_MODEL),
            histories={"station": _example_history(rng, days)},
            events={"trip": _example_trips(rng, days, trips)},
            assets={"station": _example_stations()},
            open_code=opening,
        )

    @property
    def model(self) -> TwinModel:
        """The twin's words."""
        return self._model

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
        """Return raw cells, or rollups where ``step`` is given; half-open ``[start, stop)``, naive UTC.

        Raises
        ------
        UnknownTermError
            If the twin doesn't know the asset type, an asset, a signal or the step.
        """
        spec = _known(asset_type, self._model.asset_types, "asset type")
        for signal in signals or ():
            _known(signal, spec.signals, "signal")
        names = list(spec.signals if signals is None else signals)
        if asset_type not in self._histories:
            return _empty(names)
        data = _with_flags(self._histories[asset_type]) if step is None else self._rollup(asset_type, step)
        data = data[[str(v) for v in data.data_vars if _signal_of(str(v), spec.signals) in names]]
        if assets is not None:
            places = {str(asset): place for place, asset in enumerate(data.asset.values)}
            data = data.isel(asset=[_known(asset, places, "asset") for asset in assets])
        first, last = np.searchsorted(data.time.values, [_instant(start, low=True), _instant(stop, low=False)])
        return data.isel(time=slice(int(first), int(last)))

    def events(self, event_type: str, *, start: object = None, stop: object = None) -> pd.DataFrame:
        """Return the events of one type that overlap ``[start, stop)``."""
        _known(event_type, self._model.event_types, "event type")
        frame = self._events[event_type]
        if start is None and stop is None:
            return frame
        begin = frame["start"].fillna(frame["planned_start"])
        end = frame["end"].fillna(frame["planned_end"]).fillna(begin)
        keep = (begin < _instant(stop, low=False)) & (end >= _instant(start, low=True))
        return frame[keep].reset_index(drop=True)

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets of one type with their properties."""
        import pandas as pd  # noqa: PLC0415  (import twinlab.testing stays quick)

        spec = _known(asset_type, self._model.asset_types, "asset type")
        if asset_type in self._assets:
            return self._assets[asset_type]
        ids = [str(a) for a in self._histories[asset_type].asset.values] if asset_type in self._histories else []
        return pd.DataFrame(index=pd.Index(ids, name="asset"), columns=list(spec.properties))

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type."""
        _known(relationship, self._model.relationships, "relationship")
        return self._relationships[relationship]

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps at least four times coarser than the signal's cadence."""
        spec = _known(asset_type, self._model.asset_types, "asset type")
        cadence = _known(signal, spec.signals, "signal").cadence_ns
        return tuple(step for step in _STEPS if parse_duration(step) >= 4 * cadence)

    def _rollup(self, asset_type: str, step: str) -> xr.Dataset:
        if step not in _STEPS:
            msg = f"{asset_type} has no rollup of {step!r}{nearest(step, _STEPS)}"
            raise UnknownTermError(msg)
        if (asset_type, step) not in self._rollups:
            self._rollups[asset_type, step] = _roll(
                self._histories[asset_type], self._model.asset_types[asset_type].signals, step
            )
        return self._rollups[asset_type, step]


_T = TypeVar("_T")


def _known(name: str, known: Mapping[str, _T], what: str) -> _T:
    if name not in known:
        msg = f"unknown {what} {name!r}{nearest(name, known)}"
        raise UnknownTermError(msg)
    return known[name]


def _signal_of(variable: str, signals: Iterable[str]) -> str:
    """The longest signal name that a variable's name is or starts with."""
    fits = [name for name in signals if variable == name or variable.startswith(f"{name}_")]
    return max(fits, key=len, default=variable)


def _instant(when: object, *, low: bool) -> np.datetime64:
    import pandas as pd  # noqa: PLC0415

    if when is None:
        when = "1678-01-01" if low else "2262-01-01"
    stamp = pd.Timestamp(when)  # type: ignore[arg-type]
    if stamp.tzinfo is not None:
        stamp = stamp.tz_convert("UTC").tz_localize(None)
    return np.datetime64(stamp.value, "ns")


def _empty(names: Sequence[str]) -> xr.Dataset:
    import xarray as xr  # noqa: PLC0415

    none: NDArray[np.float64] = np.empty((0, 0))
    return xr.Dataset(
        dict.fromkeys(names, (("time", "asset"), none)),
        coords={"time": np.empty(0, "datetime64[ns]"), "asset": np.empty(0, object)},
    )


def _with_flags(data: xr.Dataset) -> xr.Dataset:
    """Add ``<signal>_qc`` where it isn't given: NaN is missing, all else passes."""
    names = [str(v) for v in data.data_vars]
    lacking = [n for n in names if not n.endswith("_qc") and f"{n}_qc" not in names]
    return data.assign(
        {
            f"{n}_qc": (
                data[n].dims,
                np.where(np.isnan(data[n].values), Flag.MISSING, Flag.PASS).astype("uint8"),
                flag_attributes(n),
            )
            for n in lacking
        }
    )


def _roll(history: xr.Dataset, signals: Mapping[str, Signal], step: str) -> xr.Dataset:
    """Rollups of all signals at one step, windows aligned to midnight UTC."""
    import xarray as xr  # noqa: PLC0415

    data = _with_flags(history)
    width = parse_duration(step)
    window = data.time.values.astype("datetime64[ns]").astype("int64") // width
    labels, first = np.unique(window, return_index=True)
    out: dict[str, tuple[tuple[str, ...], NDArray[np.generic], dict[str, object]]] = {}
    states: dict[str, list[str]] = {}
    for name, spec in signals.items():
        values = data[name].values.astype(float)
        flags = data[f"{name}_qc"].values
        attrs = dict(data[name].attrs)
        for flag in Flag:
            out[f"{name}_{flag.name.lower()}"] = (
                ("time", "asset"),
                np.add.reduceat(flags == flag, first, dtype="i4"),
                {},
            )
        if spec.kind == "state":
            held = [np.add.reduceat(values == code, first, dtype="i4") for code in spec.states or {}]
            share = np.stack(held, axis=-1) / np.maximum(sum(held), 1)[..., None]
            states[f"{name}_state"] = list((spec.states or {}).values())
            out[f"{name}_share"] = (("time", "asset", f"{name}_state"), share, {"units": "1"})
        elif spec.kind == "counter":
            rise = np.diff(values, axis=0, prepend=values[:1])
            out[f"{name}_increase"] = (("time", "asset"), np.add.reduceat(np.nan_to_num(rise), first), attrs)
        else:
            good = np.isin(flags, _GOOD) & ~np.isnan(values)
            count = np.add.reduceat(good, first, dtype="i4")
            total = np.add.reduceat(np.where(good, values, 0.0), first)
            with np.errstate(invalid="ignore", divide="ignore"):
                out[f"{name}_mean"] = (("time", "asset"), total / count, attrs)
            low = np.minimum.reduceat(np.where(good, values, np.inf), first)
            high = np.maximum.reduceat(np.where(good, values, -np.inf), first)
            out[f"{name}_min"] = (("time", "asset"), np.where(count > 0, low, np.nan), attrs)
            out[f"{name}_max"] = (("time", "asset"), np.where(count > 0, high, np.nan), attrs)
            out[f"{name}_sum"] = (("time", "asset"), total, attrs)
            out[f"{name}_count"] = (("time", "asset"), count, {})
    time = (labels * width).astype("datetime64[ns]")
    return xr.Dataset(out, coords={"time": time, "asset": data.asset.values, **states})


_EXAMPLE_MODEL: dict[str, object] = {
    "twin": "example",
    "title": "Three stations",
    "origin": "2026-01-01",
    "asset_types": {
        "station": {
            "label": "name",
            "properties": {"name": {}, "height": {"dtype": "number", "unit": "m"}},
            "signals": {
                "temperature": {
                    "unit": "degC",
                    "resolution": 0.01,
                    "sensor_span": [-50, 90],
                    "title": "air temperature",
                },
                "wind_speed": {"unit": "mph", "resolution": 0.01, "sensor_span": [0, 200]},
                "fan": {"kind": "state", "states": {0: "off", 1: "running"}},
            },
        },
        "vehicle": {"title": "Vehicles"},
    },
    "event_types": {
        "trip": {
            "title": "Trips",
            "asset": "vehicle",
            "links": {"origin": "station", "destination": "station"},
            "properties": {
                "number": {"dtype": "integer"},
                "distance": {"dtype": "number", "unit": "km"},
                "cancelled": {"dtype": "boolean"},
            },
        }
    },
}
_EXAMPLE_IDS = ("EAST", "NORTH", "WEST")


def _example_stations() -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415

    index = pd.Index(_EXAMPLE_IDS, name="asset")
    return pd.DataFrame({"name": ["East quay", "North yard", "West gate"], "height": [3.0, 41.0, 12.0]}, index=index)


def _example_history(rng: np.random.Generator, days: int) -> xr.Dataset:
    """Minutely values with planted faults: an absurd fail, suspects, a missing stretch, an end not evaluated."""
    import xarray as xr  # noqa: PLC0415

    n = days * 1440
    day = np.arange(n)[:, None] / 1440.0
    shift = np.arange(len(_EXAMPLE_IDS))
    noise = np.cumsum(rng.normal(0, 0.03, (n, 3)), axis=0)
    values = {
        "temperature": 9 + 2 * shift + 6 * np.sin(2 * np.pi * (day - 0.4)) + noise * 0.2,
        "wind_speed": np.abs(8 + 3 * np.sin(2 * np.pi * day / 5 + shift) + rng.normal(0, 1.2, (n, 3))),
        "fan": ((day * 24 + 5 * shift) % 24 > 14).astype(float),
    }
    flags = {name: np.full((n, 3), Flag.PASS, "uint8") for name in values}
    absurd, gap, odd = int(0.7 * n), slice(int(0.3 * n), int(0.3 * n) + 180), slice(int(0.5 * n), int(0.5 * n) + 40)
    values["wind_speed"][absurd, 0], flags["wind_speed"][absurd, 0] = 1048.36, Flag.FAIL
    values["temperature"][odd, 0] += 14.0
    flags["temperature"][odd, 0] = Flag.SUSPECT
    for name, grid in values.items():
        grid[gap, 0], flags[name][gap, 0] = np.nan, Flag.MISSING
        grid[-120:, :], flags[name][-120:, :] = np.nan, Flag.NOT_EVALUATED
    data: dict[str, tuple[tuple[str, str], NDArray[np.generic], dict[str, object]]] = {}
    signals = TwinModel.model_validate(_EXAMPLE_MODEL).asset_types["station"].signals
    for name, value in values.items():
        spec = signals[name]
        attrs: dict[str, object] = {"long_name": spec.title or name.replace("_", " ")}
        if spec.kind != "state":
            attrs["units"] = spec.unit
        data[name] = (("time", "asset"), value.round(2), attrs)
        data[f"{name}_qc"] = (("time", "asset"), flags[name], flag_attributes(name))
    time = np.datetime64("2026-01-01", "ns") + np.arange(n) * np.timedelta64(60, "s")
    return xr.Dataset(data, coords={"time": time, "asset": np.array(_EXAMPLE_IDS, dtype=object)})


def _example_trips(rng: np.random.Generator, days: int, count: int) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415

    minutes = np.sort(rng.integers(0, days * 1440, count)).astype("timedelta64[m]")
    planned = np.datetime64("2026-01-01", "ns") + minutes
    lasting = rng.integers(20, 240, count).astype("timedelta64[m]")
    late = rng.gamma(1.5, 8, count).astype("int64").astype("timedelta64[m]")
    cancelled = rng.random(count) < 0.03
    origin = rng.integers(0, 3, count)
    names = np.array(_EXAMPLE_IDS, dtype=object)
    nothing = np.datetime64("NaT", "ns")
    return pd.DataFrame(
        {
            "event_id": [f"trip-{k:06d}" for k in range(count)],
            "type": "trip",
            "asset": [f"V{k:02d}" for k in rng.integers(0, 40, count)],
            "start": np.where(cancelled, nothing, planned + late),
            "end": np.where(cancelled, nothing, planned + late + lasting),
            "planned_start": planned,
            "planned_end": planned + lasting - np.timedelta64(5, "m"),
            "origin": names[origin],
            "destination": names[(origin + rng.integers(1, 3, count)) % 3],
            "number": np.arange(count) + 100,
            "distance": rng.gamma(3, 40, count).round(1),
            "cancelled": cancelled,
        }
    )
