"""From the trace of a run to event tables: visits at nodes, legs of entities, trips of transporters, breakdowns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.simulate.kernel.records import LEG, NODE_DOWN, TRANSPORTER_DOWN, TRIP, VISIT

if TYPE_CHECKING:
    from twinlab.simulate.kernel.plan import Names

__all__ = ["event_tables"]

Rows = npt.NDArray[Any]
_TIMES: Final = ("start", "end", "planned_start", "planned_end")


def event_tables(
    rows: Rows, names: Names, *, start: np.datetime64, entities: Mapping[tuple[int, int], str]
) -> dict[str, pd.DataFrame]:
    """Return the event tables of a trace.

    Parameters
    ----------
    rows : records
        As `records.TRACE`.
    names : Names
    start : datetime64
        Start of the state.
    entities : mapping of (source, number) to str
        Names of entities that were there at the start; others are named after source and number.
    """
    return {
        "visit": _visits(rows[rows["kind"] == VISIT], names, start, entities),
        "leg": _legs(rows[rows["kind"] == LEG], names, start, entities),
        "trip": _trips(rows[rows["kind"] == TRIP], names, start),
        "breakdown": _breakdowns(rows[np.isin(rows["kind"], (NODE_DOWN, TRANSPORTER_DOWN))], names, start),
    }


def _instants(seconds: npt.NDArray[np.float64], start: np.datetime64) -> npt.NDArray[np.datetime64]:
    found: npt.NDArray[np.datetime64] = start + np.round(seconds * 1e9).astype("timedelta64[ns]")
    return found


def _table(kind: str, ids: Any, assets: Any, times: Mapping[str, Any], properties: Mapping[str, Any]) -> pd.DataFrame:  # noqa: ANN401
    table = pd.DataFrame({"event_id": pd.array(ids, dtype="str"), "type": kind, "asset": pd.array(assets, dtype="str")})
    for name in _TIMES:
        table[name] = times.get(name, np.full(len(table), "NaT", "datetime64[ns]"))
    for name, values in properties.items():
        table[name] = values
    return table


def _names_of(rows: Rows, names: Names, entities: Mapping[tuple[int, int], str]) -> list[str]:
    sources = dict(names.source_keys)
    found = []
    for source, number in zip(rows["source"].tolist(), rows["number"].tolist(), strict=True):
        found.append(entities.get((source, number)) or f"{sources.get(source, 'start')}/{number}")
    return found


def _at(all_names: tuple[str, ...], places: npt.NDArray[np.int32]) -> Any:  # noqa: ANN401
    """Return names by place; missing for -1."""
    return pd.array([all_names[place] if place >= 0 else None for place in places], dtype="str")


def _visits(rows: Rows, names: Names, start: np.datetime64, entities: Mapping[tuple[int, int], str]) -> pd.DataFrame:
    who = _names_of(rows, names, entities)
    served = _instants(rows["middle"], start)
    ids = [f"visit/{one}/{place}" for one, place in zip(who, _order(who), strict=True)]
    times = {"start": _instants(rows["start"], start), "end": _instants(rows["end"], start)}
    properties = {
        "entity": pd.array(who, dtype="str"),
        "kind": _at(names.kinds, rows["a"]),
        "service_start": served,
        "waiting_time": rows["middle"] - rows["start"],
    }
    return _table("visit", ids, _at(names.nodes, rows["subject"]), times, properties)


def _legs(rows: Rows, names: Names, start: np.datetime64, entities: Mapping[tuple[int, int], str]) -> pd.DataFrame:
    who = _names_of(rows, names, entities)
    ids = [f"leg/{one}/{place}" for one, place in zip(who, _order(who), strict=True)]
    begun = _instants(rows["start"], start)
    times = {"start": begun, "end": _instants(rows["end"], start), "planned_start": begun}
    means = {leg[1:]: mean for leg, mean in zip(names.legs, names.leg_means, strict=True)}
    pairs = [(names.nodes[a] if a >= 0 else "", names.nodes[b]) for a, b in zip(rows["a"], rows["b"], strict=True)]
    times["planned_end"] = begun + _spans([means.get(pair, np.nan) for pair in pairs])
    properties: dict[str, Any] = {"origin": _at(names.nodes, rows["a"]), "destination": _at(names.nodes, rows["b"])}
    properties["transporter"] = _at(names.transporters, rows["subject"])
    for kind in dict.fromkeys(names.transporter_types):
        own = np.array([place >= 0 and names.transporter_types[place] == kind for place in rows["subject"]], bool)
        properties[kind] = _at(names.transporters, np.where(own, rows["subject"], -1))
    return _table("leg", ids, who, times, properties)


def _trips(rows: Rows, names: Names, start: np.datetime64) -> pd.DataFrame:
    who = [names.transporters[place] for place in rows["subject"]]
    begun = _instants(rows["start"], start)
    means = np.array(_trip_means(rows, names), np.float64)
    times = {
        "start": begun,
        "end": _instants(rows["end"], start),
        "planned_start": begun,
        "planned_end": begun + _spans(means),
    }
    properties = {
        "origin": _at(names.nodes, rows["a"]),
        "destination": _at(names.nodes, rows["b"]),
        "load": rows["source"].astype(np.int64),
    }
    # A transporter makes one trip at a time.
    ids = [f"trip/{one}/{at}" for one, at in zip(who, begun, strict=True)]
    return _table("trip", ids, who, times, properties)


def _trip_means(rows: Rows, names: Names) -> list[float]:
    """Return the mean time of each trip: of a leg, or of an empty drive of a pool."""
    legs = len(names.legs)
    return [
        names.leg_means[number]
        if number < legs
        else names.empty_means[names.groups[number - legs], names.nodes[a], names.nodes[b]]
        for number, a, b in zip(rows["number"].tolist(), rows["a"].tolist(), rows["b"].tolist(), strict=True)
    ]


def _breakdowns(rows: Rows, names: Names, start: np.datetime64) -> pd.DataFrame:
    who = [
        (names.nodes if kind == NODE_DOWN else names.transporters)[place]
        for kind, place in zip(rows["kind"], rows["subject"], strict=True)
    ]
    times = {"start": _instants(rows["start"], start), "end": _instants(rows["end"], start)}
    ids = [f"breakdown/{one}/{at}" for one, at in zip(who, times["start"], strict=True)]
    return _table("breakdown", ids, who, times, {})


def _spans(seconds: Any) -> npt.NDArray[np.timedelta64]:  # noqa: ANN401
    """Return times in seconds as timedelta64[ns]; NaT for NaN."""
    values = np.asarray(seconds, np.float64)
    found = np.full(values.shape, "NaT", "timedelta64[ns]")
    known = ~np.isnan(values)
    found[known] = np.round(values[known] * 1e9).astype("timedelta64[ns]")
    return found


def _order(who: list[str]) -> list[int]:
    """Return for each row how many earlier rows have the same name."""
    seen: dict[str, int] = {}
    found = []
    for one in who:
        found.append(seen.get(one, 0))
        seen[one] = found[-1] + 1
    return found
