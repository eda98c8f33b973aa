"""A signal of all assets with the other signals of the same assets, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import UnknownTermError
from twinlab.model.flags import Flag
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["SensorCells", "read_sensor"]

Floats = NDArray[np.float64]
#: States with more different values aren't used as features.
_MOST_STATES = 6


class SensorCells:
    """Arrays of one signal."""

    def __init__(self, times: NDArray[np.int64], assets: Sequence[str], values: Floats, others: Floats) -> None:
        self.times, self.assets, self.values, self.others = times, tuple(assets), values, others


def read_sensor(twin: TwinReader, asset_type: str, signal: str, start_ns: int, stop_ns: int) -> SensorCells:
    """Return the cells of a signal in ``[start, stop)``; failed ones are missing.

    Raises
    ------
    UnknownTermError
        If the model has no such signal.
    """
    types = twin.model.asset_types
    if asset_type not in types or signal not in types[asset_type].signals:
        known = [f"{one}.{name}" for one, spec in types.items() for name in spec.signals]
        msg = f"unknown sensor {asset_type}.{signal} in `security: {{sensors: …}}`{nearest(f'{asset_type}.{signal}', known)}"
        raise UnknownTermError(msg)
    spec = types[asset_type].signals
    names = [
        name for name, one in spec.items() if one.cadence_ns == spec[signal].cadence_ns and one.kind in ("gauge", "state") and name != signal
    ]  # fmt: skip
    start, stop = np.datetime64(start_ns, "ns"), np.datetime64(stop_ns, "ns")
    data = twin.history(asset_type, signals=[signal, *names], start=start, stop=stop)
    arrays = {name: np.asarray(data[name].transpose("time", "asset").values, dtype=float) for name in (signal, *names)}
    flag = data.get(f"{signal}_qc")
    if flag is not None:
        arrays[signal] = np.where(flag.transpose("time", "asset").values == Flag.FAIL, np.nan, arrays[signal])
    parts = []
    for name in names:
        found = arrays[name]
        codes = np.unique(found[np.isfinite(found)]) if spec[name].kind == "state" else np.array([])
        if spec[name].kind == "state" and len(codes) <= _MOST_STATES:
            parts += [np.where(np.isfinite(found), (found == code).astype(float), np.nan) for code in codes[1:]]
        elif spec[name].kind == "gauge":
            parts.append(found)
    others = np.stack(parts, axis=2) if parts else np.empty((*arrays[signal].shape, 0))
    times = data["time"].values.astype("datetime64[ns]").astype(np.int64)
    return SensorCells(times, [str(one) for one in data["asset"].values], arrays[signal], others)
