"""A twin in memory for tests, of twinlab and of users; it is read like a real one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.flags import Flag, flag_attributes
from twinlab.model.schema import EVENT_COLUMNS
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import TwinModel, parse_duration

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    from twinlab.events.annotations import Annotation
    from twinlab.model.twinmodel import Signal

__all__ = ["FakeTwin"]

_STEPS = ("1min", "15min", "1h", "4h", "1d")
_LINK_COLUMNS = {
    **dict.fromkeys(("source", "target"), "object"),
    **dict.fromkeys(("valid_from", "valid_until"), "datetime64[ns]"),
}
_GOOD = (Flag.PASS, Flag.SUSPECT)


class FakeTwin:
    """A `TwinReader` over xarray Datasets and pandas DataFrames in memory, with rollups computed when asked for.

    Parameters
    ----------
    model : TwinModel
        The twin's model.
    histories : mapping of asset type to Dataset
        Dims ``time, asset``; a variable a signal, and optionally ``<signal>_qc`` with QARTOD numbers (uint8). All
        signals of one Dataset share one regular time axis; a type whose signals have several has a Dataset for each.
        Without flags, values pass and NaN is missing.
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
        histories: Mapping[str, xr.Dataset | Sequence[xr.Dataset]] | None = None,
        events: Mapping[str, pd.DataFrame] | None = None,
        assets: Mapping[str, pd.DataFrame] | None = None,
        relationships: Mapping[str, pd.DataFrame] | None = None,
        open_code: str = "twin = ...  # open your twin here",
    ) -> None:
        self._model = model
        self._histories = {kind: _several(found) for kind, found in (histories or {}).items()}
        self._events = dict(events or {})
        self._assets = dict(assets or {})
        self._relationships = dict(relationships or {})
        self._rollups: dict[tuple[str, str], list[xr.Dataset]] = {}
        self._said: list[Annotation] = []
        self.open_code = open_code

    @classmethod
    def example(cls, *, days: int = 60, trips: int = 2_000, seed: int = 1) -> FakeTwin:
        """Return a seeded twin of three stations (minutely) and the trips between them, with planted faults.

        Eight vans with GPS bring 200 parcels from station to station; there are cold rooms at the stations, and rules for
        exceptions. Observations end two hours before the end of the last day.
        """
        rng = np.random.default_rng(seed)
        opening = (
            f"from twinlab.testing import FakeTwin\n\ntwin = FakeTwin.example(days={days}, trips={trips}, seed={seed})"
        )
        from twinlab.testing import example_stations as stations  # noqa: PLC0415
        from twinlab.testing.example_model import EXAMPLE_MODEL  # noqa: PLC0415
        from twinlab.testing.example_moving import MovingExample  # noqa: PLC0415

        station = stations.station_history(rng, days)
        events = {"trip": stations.trips(rng, days, trips)}
        # A random generator of its own, so that the stations' values don't depend on what moves.
        moving = MovingExample(np.random.default_rng([seed, 2]), days)
        return cls(
            TwinModel.model_validate(EXAMPLE_MODEL),
            histories={"station": station, "van": moving.vans(), "cold_room": moving.rooms()},
            events={**events, "delivery": moving.deliveries()},
            assets={"station": stations.stations(), **moving.assets()},
            relationships=moving.relationships(),
            open_code=opening,
        )

    @property
    def model(self) -> TwinModel:
        """The twin's model."""
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
        import xarray as xr  # noqa: PLC0415  (import twinlab.testing stays quick)

        spec = _known(asset_type, self._model.asset_types, "asset type")
        for signal in signals or ():
            _known(signal, spec.signals, "signal")
        names = list(spec.signals if signals is None else signals)
        if asset_type not in self._histories:
            return _empty(names)
        parts = [
            one if step is not None else _with_flags(one)
            for one in (self._histories[asset_type] if step is None else self._rollup(asset_type, step))
            if any(_signal_of(str(v), spec.signals) in names for v in one.data_vars)
        ]
        if step is None and len(parts) > 1:
            cadences = ", ".join(dict.fromkeys(spec.signals[name].cadence for name in names))
            msg = f"expected signals of one cadence, got {cadences}; give `step=`, or fewer `signals=`"
            raise SchemaError(msg)
        if not parts:
            return _empty(names)
        data = parts[0] if len(parts) == 1 else xr.merge(parts, join="outer", compat="no_conflicts")
        data = data[[str(v) for v in data.data_vars if _signal_of(str(v), spec.signals) in names]]
        if assets is not None:
            places = {str(asset): place for place, asset in enumerate(data.asset.values)}
            data = data.isel(asset=[_known(asset, places, "asset") for asset in assets])
        first, last = np.searchsorted(data.time.values, [_instant(start, low=True), _instant(stop, low=False)])
        return data.isel(time=slice(int(first), int(last)))

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type that overlap ``[start, stop)``, of some assets if given."""
        spec = _known(event_type, self._model.event_types, "event type")
        if event_type not in self._events:
            return _no_rows({**EVENT_COLUMNS, **dict.fromkeys((*spec.links, *spec.properties), "object")})
        frame = self._events[event_type]
        if assets is not None:
            frame = frame[frame["asset"].isin(list(assets))].reset_index(drop=True)
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
        ids = list(dict.fromkeys(str(a) for one in self._histories.get(asset_type, ()) for a in one.asset.values))
        return pd.DataFrame(index=pd.Index(ids, name="asset"), columns=list(spec.properties))

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type."""
        _known(relationship, self._model.relationships, "relationship")
        if relationship not in self._relationships:
            return _no_rows(_LINK_COLUMNS)
        return self._relationships[relationship]

    def annotate(
        self, key: str, *, note: str | None = None, acknowledged: bool | None = None, author: str, time: object = None
    ) -> None:
        """Note something on an exception, or acknowledge it, as `twinlab.Twin.annotate` does; in memory."""
        from twinlab.events.annotations import annotation  # noqa: PLC0415

        self._said.append(annotation(key, note=note, acknowledged=acknowledged, author=author, time=time))

    def annotate_many(self, said: Sequence[Annotation]) -> None:
        """Store several annotations."""
        self._said.extend(said)

    def notes(self, *, history: bool = False) -> pd.DataFrame:
        """Return the current notes on exceptions: ``key, note, acknowledged, author, time``."""
        from twinlab.events.annotations import notes_table  # noqa: PLC0415

        return notes_table(self._said, history=history)

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps at least four times coarser than the signal's cadence."""
        spec = _known(asset_type, self._model.asset_types, "asset type")
        cadence = _known(signal, spec.signals, "signal").cadence_ns
        return tuple(step for step in _STEPS if parse_duration(step) >= 4 * cadence)

    def _rollup(self, asset_type: str, step: str) -> list[xr.Dataset]:
        if step not in _STEPS:
            msg = f"{asset_type} has no rollup of {step!r}{nearest(step, _STEPS)}"
            raise UnknownTermError(msg)
        if (asset_type, step) not in self._rollups:
            spec = self._model.asset_types[asset_type].signals
            self._rollups[asset_type, step] = [
                _roll(one, {name: signal for name, signal in spec.items() if name in one}, step)
                for one in self._histories[asset_type]
            ]
        return self._rollups[asset_type, step]


_T = TypeVar("_T")


def _several(found: xr.Dataset | Sequence[xr.Dataset]) -> tuple[xr.Dataset, ...]:
    import xarray as xr  # noqa: PLC0415

    return (found,) if isinstance(found, xr.Dataset) else tuple(found)


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
    flags = {f"{name}_qc": (("time", "asset"), none.astype("uint8")) for name in names}
    return xr.Dataset(
        dict.fromkeys(names, (("time", "asset"), none)) | flags,
        coords={"time": np.empty(0, "datetime64[ns]"), "asset": np.empty(0, object)},
    )


def _no_rows(columns: Mapping[str, str]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415

    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in columns.items()})


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
