"""The arrays of a state: made empty, enlarged, and written to and read from a Dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.simulate.kernel.records import (
    ADDED,
    ENTITY,
    EXTRA,
    HIGHEST,
    LINK,
    NODE,
    PENDING,
    SERVED,
    TRANSPORTER,
    Records,
    State,
)

if TYPE_CHECKING:
    from twinlab.simulate.kernel.plan import Names

__all__ = ["START_SOURCE", "copied", "empty_state", "enlarged", "from_dataset", "started_names", "to_variables"]

#: Record arrays of a state -> dim of its variables in a Dataset.
_RECORDS: Final = {
    "entities": "entity",
    "extras": "entity",
    "nodes": "node",
    "links": "link",
    "transporters": "transporter",
}
#: Plain arrays -> dim.
_PLAIN: Final = {
    "counts": "count",
    "drawn": "source",
    "numbers": "source",
    "pending_time": "pending",
    "pending_entity": "pending",
    "source_time": "source_event",
    "source_item": "source_event",
    "taken": "leg",
    "duty": "calendar_group",
    "clock_time": "clock",
    "clock_item": "clock",
    "clock_place": "clock",
}
_SMALLEST: Final = 256
#: Bytes of a line of the processor's cache.
_LINE: Final = 64
#: Source of the entities that were there at the start; their number is the row in the table that names them.
START_SOURCE: Final = 0


def empty_state(
    names: Names,
    *,
    links: int,
    servers: npt.NDArray[np.int32],
    duty: npt.NDArray[np.int64],
    first: npt.NDArray[np.int32],
) -> State:
    """Return a state without entities, of which nothing has begun.

    Parameters
    ----------
    names : Names
    links : int
        Number of links.
    servers : array of int
        Servers by node that work now.
    duty : array of int
        Transporters that work now, by group with a calendar.
    first : array of int
        Node of each transporter of a pool; -1 for those with a route.
    """
    nodes = np.zeros(len(names.nodes), NODE)
    for field in ("first", "last", "first_sender", "last_sender"):
        nodes[field] = -1
    nodes["servers"] = nodes["planned"] = servers
    link_rows = np.zeros(links, LINK)
    for field in ("first", "last", "first_holding", "last_holding"):
        link_rows[field] = -1
    units = np.zeros(len(names.transporters), TRANSPORTER)
    for field in ("first", "last", "next"):
        units[field] = -1
    pooled = first >= 0
    units["at"][pooled] = units["came"][pooled] = first[pooled]
    units["leg"][pooled] = -1
    counts = np.zeros(8, np.int64)
    counts[1] = -1
    sources = len(names.sources)
    clocks = 2 * len(names.transporters) + 3 * len(names.nodes) + len(names.pools)
    return State(
        key=np.zeros(2, np.uint64),
        counts=counts,
        entities=_lines(_SMALLEST, ENTITY),
        extras=np.zeros(_SMALLEST, EXTRA),
        nodes=nodes,
        links=link_rows,
        transporters=units,
        drawn=np.zeros(sources, np.int64),
        numbers=np.zeros(sources, np.int64),
        pending_time=np.zeros(_SMALLEST),
        pending_entity=np.zeros(_SMALLEST, np.int32),
        source_time=np.full(sources, np.inf),
        source_item=np.arange(sources, dtype=np.int32),
        taken=np.full(len(names.legs), -np.inf),
        duty=duty,
        clock_time=np.full(clocks, np.inf),
        clock_item=np.arange(clocks, dtype=np.int32),
        clock_place=np.arange(clocks, dtype=np.int32),
    )


def _lines(size: int, dtype: np.dtype[np.void]) -> Records:
    """Return zeros that begin where a line of the cache begins, so that no record is in two of them."""
    width = dtype.itemsize
    raw = np.zeros(size * width + _LINE, np.uint8)
    skipped = -raw.ctypes.data % _LINE
    return raw[skipped : skipped + size * width].view(dtype)


def _resized(array: Records, size: int) -> Records:
    made = _lines(size, array.dtype)
    made[: min(size, array.size)] = array[:size]
    return made


def enlarged(state: State, *, at_least: int = 0) -> State:
    """Return a state with room for more entities."""
    size = max(2 * state.entities.size, at_least)
    return state._replace(
        entities=_resized(state.entities, size),
        extras=_resized(state.extras, size),
        pending_time=_resized(state.pending_time, size),
        pending_entity=_resized(state.pending_entity, size),
    )


def copied(state: State, *, seed: int, replication: int) -> State:
    """Return a copy whose later random numbers depend on a seed and a replication."""
    made = State._make(array.copy() for array in state)
    made = made._replace(entities=_resized(state.entities, state.entities.size))
    made.key[:] = seed, replication
    return made


def to_variables(state: State, names: Names) -> dict[str, xr.Variable]:
    """Return a state as variables of a Dataset; rows that were never used are left out."""
    sizes = dict.fromkeys(("entities", "extras"), int(state.counts[HIGHEST]))
    found: dict[str, xr.Variable] = {}
    for array, dim in _RECORDS.items():
        rows = getattr(state, array)[: sizes.get(array)]
        for field in rows.dtype.names:
            found[f"{dim}_{field}"] = xr.Variable(dim, np.ascontiguousarray(rows[field]))
    for array, dim in _PLAIN.items():
        values = getattr(state, array)
        if dim == "pending":
            values = values[: int(state.counts[PENDING])]
        if array == "duty" and not values.size:
            continue
        found[array] = xr.Variable(dim, values.copy())
    found["node"] = xr.Variable("node", np.array(names.nodes, dtype=object))
    found["transporter"] = xr.Variable("transporter", np.array(names.transporters, dtype=object))
    found["source"] = xr.Variable("source", np.array(names.sources, dtype=object))
    return found


def started_names(state: xr.Dataset) -> dict[tuple[int, int], str]:
    """Return the names of the entities that were there at the start, by source and number."""
    if "started" not in state:
        return {}
    return {(START_SOURCE, number): str(name) for number, name in enumerate(state["started"].values)}


def from_dataset(state: xr.Dataset, *, room: int = 0) -> State:
    """Return the arrays of a state's Dataset.

    Raises
    ------
    SchemaError
        If a variable is missing.
    """
    kinds = {"entities": ENTITY, "extras": EXTRA, "nodes": NODE, "links": LINK, "transporters": TRANSPORTER}
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for array, dim in _RECORDS.items():
        kind = kinds[array]
        fields = [field for field in kind.names or () if f"{dim}_{field}" not in ADDED or f"{dim}_{field}" in state]
        columns = {field: _values(state, f"{dim}_{field}") for field in fields}
        rows = np.zeros(next(iter(columns.values())).size, kind)
        for field, values in columns.items():
            rows[field] = values
        arrays[array] = rows
    for array in _PLAIN:
        # Only networks with calendars of transporters have it.
        none = array == "duty" and array not in state
        arrays[array] = np.zeros(0, np.int64) if none else np.array(_values(state, array))
    if "link_joined" not in state:
        _sum_joined(arrays["links"], arrays["entities"])
    size = max(_SMALLEST, arrays["entities"].size + room)
    # States of earlier versions keep it after the service.
    arrays["extras"]["paused"][arrays["entities"]["stage"] != SERVED] = 0.0  # type: ignore[call-overload]
    for array in ("entities", "extras", "pending_time", "pending_entity"):
        arrays[array] = _resized(arrays[array], size)
    key = np.array([int(state["seed"]), int(state["replication"])], np.uint64)
    return State(key=key, **arrays)  # type: ignore[arg-type]


def _sum_joined(links: Records, entities: Records) -> None:
    """Sum the times at which those that wait at each link joined, which states of earlier versions don't have."""
    for way in links:
        e = way["first"]
        for _ in range(way["waiting"]):
            way["joined"] += entities[e]["since"]
            e = entities[e]["next"]


def _values(state: xr.Dataset, name: str) -> npt.NDArray[np.generic]:
    if name not in state:
        msg = f"the state has no variable {name!r}; expected a state of a network model, complete as it was saved"
        raise SchemaError(msg)
    return np.asarray(state[name].values)
