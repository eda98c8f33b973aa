"""A twin whose trips, and what they carry, go on as one replication of a simulation has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.reader import DelegatingReader, TwinReader

__all__ = ["SimulatedReader", "joined"]

_PASS, _MISSING = 1, 9


class SimulatedReader(DelegatingReader):
    """Reads a twin up to an instant, and one replication of a simulation from then on.

    Parameters
    ----------
    twin : TwinReader
    events : mapping of event type to DataFrame
        Events of the replication, in the schema of the twin's.
    past : mapping of event type to DataFrame
        Events of the twin that were planned before the start.
    span : (datetime64, datetime64)
        Start and end of the simulation.
    signals : mapping of asset type to Dataset
        Simulated signals, dims ``time, asset``; those of other types end with the start.
    """

    def __init__(
        self,
        twin: TwinReader,
        events: Mapping[str, pd.DataFrame],
        past: Mapping[str, pd.DataFrame],
        span: tuple[np.datetime64, np.datetime64],
        signals: Mapping[str, xr.Dataset],
    ) -> None:
        self._twin, (self._start, self._stop), self._simulated = twin, span, signals
        self._tables = {name: joined(past[name], table) for name, table in events.items()}

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
        """Return the history of one asset type up to the start of the simulation, then the simulated signals.

        Raises
        ------
        SchemaError
            If rollups are asked for, which simulated signals don't have.
        """
        begun = pd.Timestamp(self._start)
        until = begun if stop is None else min(pd.Timestamp(stop), begun)  # type: ignore[arg-type]
        if asset_type not in self._simulated:
            return self._twin.history(asset_type, signals=signals, assets=assets, start=start, stop=until, step=step)
        if step is not None:
            msg = f"simulated signals of {asset_type!r} have no rollups; leave step= out"
            raise SchemaError(msg)
        known = self._twin.history(asset_type, signals=signals, assets=assets, start=start, stop=until)
        return _continued(known, self._simulated[asset_type], start=start, stop=stop)

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps of rollups: none of asset types with simulated signals."""
        return () if asset_type in self._simulated else self._twin.steps(asset_type, signal)

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the events of one type that overlap ``[start, stop)``, of some assets if given."""
        if event_type not in self._tables:
            return self._twin.events(event_type, start=start, stop=stop, assets=assets)
        table = self._tables[event_type]
        begin = table["start"].fillna(table["planned_start"])
        # Without an end, what has begun goes on; what hasn't is where it was planned.
        end = table["end"].where(table["start"].notna(), table["planned_end"]).fillna(pd.Timestamp(self._stop))
        kept = pd.Series(data=True, index=table.index)
        if start is not None:
            kept &= (end > pd.Timestamp(start)) | (begin >= pd.Timestamp(start))  # type: ignore[arg-type]
        if stop is not None:
            kept &= begin < pd.Timestamp(stop)  # type: ignore[arg-type]
        if assets is not None:
            kept &= table["asset"].isin(list(assets))
        return table[kept].reset_index(drop=True)


def _continued(known: xr.Dataset, simulated: xr.Dataset, *, start: object, stop: object) -> xr.Dataset:
    """Return a history that goes on with simulated signals; of signals that aren't simulated values are missing from then on."""
    times = simulated["time"].to_numpy()
    inside = np.ones(len(times), dtype=bool)
    if start is not None:
        inside &= times >= pd.Timestamp(start).to_datetime64()  # type: ignore[arg-type]
    if stop is not None:
        inside &= times < pd.Timestamp(stop).to_datetime64()  # type: ignore[arg-type]
    part = simulated.isel(time=inside).reindex(asset=known["asset"].to_numpy())
    shape = part.sizes["time"], part.sizes["asset"]
    later = {}
    for name, one in known.data_vars.items():
        signal = str(name).removesuffix("_qc")
        values = part[signal].to_numpy() if signal in part else np.full(shape, np.nan)
        if signal != name:
            values = np.where(np.isnan(values), _MISSING, _PASS).astype(one.dtype)
        later[name] = ("time", "asset"), values
    after = xr.Dataset(later, coords={"time": part["time"], "asset": known["asset"]})
    return xr.concat(
        [known, after], "time", join="exact", combine_attrs="override", coords="minimal", compat="override"
    )


def joined(past: pd.DataFrame, simulated: pd.DataFrame) -> pd.DataFrame:
    """Return the events of the past that the simulation has no later version of, and the simulated ones."""
    before = past[~past["event_id"].isin(simulated["event_id"])]
    whole = pd.concat([before, simulated.reindex(columns=past.columns)], ignore_index=True)
    return whole.astype({name: kind for name, kind in past.dtypes.items() if str(kind).startswith("datetime")})
