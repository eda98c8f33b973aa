"""What may be set, and setpoints beside what is reported."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.events.present_state.latest_values import present
from twinlab.model.flags import Flag
from twinlab.model.units import convert

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["command_table", "setpoint_table"]

_NAT = np.iinfo(np.int64).min
_COLUMNS = ("parameter", "setpoint", "reported", "unit", "state", "age", "set_at", "set_by", "reason")


def command_table(model: TwinModel) -> pd.DataFrame:
    """Return a row for each parameter that may be set: index ``asset_type, parameter``."""
    rows = {
        (kind, name): {
            "title": spec.title or name, "signal": spec.signal, "unit": spec.unit, "lowest": spec.limits[0], "highest": spec.limits[1],
            "largest_step": spec.largest_step, "fail_safe": spec.fail_safe, "people": spec.people, "roles": ", ".join(spec.roles),
            "simulated": ", ".join(effect.kind for effect in spec.simulate_with),
        }
        for kind, specs in model.commands.items()
        for name, spec in specs.items()
    }  # fmt: skip
    columns = [
        "title",
        "signal",
        "unit",
        "lowest",
        "highest",
        "largest_step",
        "fail_safe",
        "people",
        "roles",
        "simulated",
    ]
    index = pd.MultiIndex.from_tuples(list(rows), names=["asset_type", "parameter"])
    return pd.DataFrame(list(rows.values()), index=index, columns=columns)


def setpoint_table(twin: TwinReader, sent: Sequence[Mapping[Hashable, Any]], *, now: np.datetime64) -> pd.DataFrame:
    """Return a row for each controllable parameter of each asset.

    Parameters
    ----------
    twin : TwinReader
    sent : sequence of mapping
        Plans that were sent, the newest first: ``target, parameter, value, at, persons, reason``.
    now : datetime64
        Present, UTC.

    Returns
    -------
    DataFrame
        Index ``asset``. ``setpoint``: what was last asked for through this twin, NaN if nothing was; ``reported``: what the asset
        says it has, NaN if that isn't known or flagged as failed; both in ``unit``. ``state``: "as set", "differs", "not set"
        (nobody has set it through this twin) or "unknown"; ``age`` of the reported value, seconds, since the start of its cell;
        ``set_at``, ``set_by``, ``reason`` of the setpoint.
    """
    last: dict[tuple[str, str], Mapping[Hashable, Any]] = {}
    for one in sent:
        last.setdefault((one["target"], one["parameter"]), one)
    rows, at = [], float(now.astype("M8[ns]").astype(np.int64))
    for kind, specs in twin.model.commands.items():
        names = list(dict.fromkeys(spec.signal for spec in specs.values()))
        table = present(twin, kind, at=now, signals=names)
        for name, spec in specs.items():
            unit = str(twin.model.asset_types[kind].signals[spec.signal].unit)
            values = convert(table[spec.signal].to_numpy(dtype=np.float64), unit, spec.unit)
            good = ~np.isin(table[f"{spec.signal}_qc"].to_numpy(), (Flag.FAIL, Flag.MISSING))
            times = table[f"{spec.signal}_time"].to_numpy(dtype="M8[ns]").astype(np.int64)
            ages = np.where(times == _NAT, np.nan, (at - times.astype(np.float64)) / 1e9)
            for asset, value, fine, age in zip(table.index, values, good, ages, strict=True):
                plan = last.get((f"{kind}/{asset}", name), {})
                setpoint = float(plan.get("value", np.nan))
                reported = float(value) if fine else np.nan
                rows.append(
                    (f"{kind}/{asset}", name, setpoint, reported, spec.unit, _state(setpoint, reported, spec.tolerance),
                     float(age), pd.Timestamp(plan["at"]).tz_localize(None) if plan else pd.NaT, " and ".join(plan.get("persons", ())),
                     plan.get("reason", ""))
                )  # fmt: skip
    made = pd.DataFrame(rows, columns=["asset", *_COLUMNS]).set_index("asset")
    return made.astype({"setpoint": "float64", "reported": "float64", "age": "float64"})


def _state(setpoint: float, reported: float, tolerance: float) -> str:
    if np.isnan(reported):
        return "unknown"
    if np.isnan(setpoint):
        return "not set"
    return "as set" if abs(setpoint - reported) <= tolerance + 1e-9 else "differs"
