"""The last values of an asset, each with its time and flag."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from twinlab.control.proposals.effects.outcome import Unknown
from twinlab.events.present_state.latest_values import present
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.reader import TwinReader

__all__ = ["Observations", "Reading", "present_readings"]

#: Flags of values that nothing may be based on.
_UNUSABLE = (Flag.SUSPECT, Flag.FAIL, Flag.MISSING)


@runtime_checkable
class Observations(Protocol):
    """A reader that also has the source's rows, with their own times."""

    def observations(
        self,
        asset: str,
        signal: str,
        *,
        start: object = None,
        stop: object = None,
        all: bool = False,  # noqa: A002
    ) -> pd.DataFrame:
        """Return the rows of a signal of one asset."""


@dataclass(frozen=True)
class Reading:
    """The last value of a signal."""

    signal: str
    value: float
    """In the signal's unit; NaN if there is none."""
    unit: str
    flag: Flag
    at: np.datetime64
    """When it was measured, UTC; NaT if there is none."""

    def age_s(self, now: np.datetime64) -> float:
        """Return its age in seconds, NaN if there is none."""
        return math.nan if np.isnat(self.at) else float((now - self.at) / np.timedelta64(1, "s"))

    def fault(self, now: np.datetime64, *, fresh_s: float) -> str | None:
        """Return why it can't be used, None if it can."""
        if not math.isfinite(self.value) or np.isnat(self.at):
            return f"{self.signal} isn't known: no value in the last day"
        if self.flag in _UNUSABLE:
            return f"{self.signal} is flagged {self.flag.name.lower().replace('_', ' ')}: expected a value that its quality tests pass"
        age = self.age_s(now)
        if age > fresh_s:
            return f"{self.signal} is stale: its last value is {_duration(age)} old, at most {_duration(fresh_s)} are allowed"
        return None

    def usable(self, now: np.datetime64, *, fresh_s: float) -> float | Unknown:
        """Return the value, or why it can't be used."""
        fault = self.fault(now, fresh_s=fresh_s)
        return self.value if fault is None else Unknown(fault)


def present_readings(
    twin: TwinReader, asset_type: str, asset: str, signals: Sequence[str], *, now: np.datetime64
) -> dict[str, Reading]:
    """Return the last value of each signal of an asset at an instant, with the exact time of its row where the twin has it."""
    specs = twin.model.asset_types[asset_type].signals
    table = present(twin, asset_type, at=now, signals=list(signals), assets=[asset])
    found = {}
    for name in signals:
        # NaT for a signal that was never observed.
        at = table[f"{name}_time"].to_numpy(dtype="M8[ns]")[0]
        unit = str(specs[name].unit) if specs[name].states is None else "1"
        flag = Flag(int(table[f"{name}_qc"].iloc[0]))
        at = _exact(twin, f"{asset_type}/{asset}", name, at, now=now, cadence_ns=specs[name].cadence_ns)
        found[name] = Reading(name, float(table[name].iloc[0]), unit, flag, at)
    return found


def _exact(
    twin: TwinReader | Observations,
    target: str,
    signal: str,
    cell: np.datetime64,
    *,
    now: np.datetime64,
    cadence_ns: int,
) -> np.datetime64:
    """Return the time of the last row of a cell; a cell is labelled by its start, up to a cadence earlier."""
    if np.isnat(cell) or not isinstance(twin, Observations):
        return cell
    rows = twin.observations(target, signal, start=cell, stop=min(cell + np.timedelta64(cadence_ns, "ns"), now))
    return cell if rows.empty else np.datetime64(rows["time"].max(), "ns")


def _duration(seconds: float) -> str:
    for limit, divisor, name in ((120.0, 1.0, "s"), (7200.0, 60.0, "min"), (172_800.0, 3600.0, "h")):
        if seconds < limit:
            return f"{seconds / divisor:.0f} {name}"
    return f"{seconds / 86_400:.0f} days"
