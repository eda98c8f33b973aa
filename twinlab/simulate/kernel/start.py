"""A state from tables of what is where: entities at nodes or aboard, transporters at nodes or under way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.simulate.kernel.arrays import START_SOURCE, enlarged
from twinlab.simulate.kernel.loops.heap import set_clock
from twinlab.simulate.kernel.loops.queues import queue_push
from twinlab.simulate.kernel.records import (
    ABOARD,
    DRIVING,
    HIGHEST,
    OUTBOUND,
    PLACED,
    SERVED,
    UNLOADING,
    WAITING,
    Plan,
    State,
)
from twinlab.simulate.kernel.spans import SECOND, nanoseconds

if TYPE_CHECKING:
    from twinlab.simulate.kernel.plan import Names

__all__ = ["ENTITY_COLUMNS", "NODE_COLUMNS", "TRANSPORTER_COLUMNS", "started"]

ENTITY_COLUMNS: Final = {
    "name": "name of the entity; the index if the column is missing",
    "kind": "kind of entity; the first of the demand if missing",
    "at": "node where it is",
    "aboard": "transporter that carries it, instead of `at`",
    "stage": "queued (waits for a server), served, or outbound (waits for a transporter); queued if missing",
    "next": "of an outbound entity: the next node; the one towards its destination if missing",
    "destination": "node where it leaves the network",
    "route": "instead of `destination`: remaining nodes of a route of the demand, as a list or as text with '>' between",
    "created": "when it came into the network",
    "due": "when it is due",
    "since": "when it joined where it is",
    "began": "of a served entity: when its service began",
    "priority": "priority",
}
TRANSPORTER_COLUMNS: Final = {
    "name": "name of the transporter, such as 'truck/1'; the index if the column is missing",
    "at": "node where it is",
    "origin": "of one under way: where it comes from",
    "destination": "of one under way: where it goes",
    "departed": "of one under way: when it left",
    "arrives": "of one under way: when it arrives, if that is known",
}
NODE_COLUMNS: Final = {
    "name": "name of a node with a climate; the index if the column is missing",
    "temperature": "its temperature, degC",
    "cooling": "whether its compressor is on; off if missing",
    "door_closes": "of a node whose door is open: when it closes",
}
_STAGES: Final = ("queued", "served", "outbound")


class _Rows:
    """A table whose cells are read with errors that name row and column."""

    def __init__(self, table: pd.DataFrame, what: str, known: Iterable[str]) -> None:
        self.what = what
        unknown = [str(name) for name in table.columns if name not in known]
        if unknown:
            msg = f"{what}: unknown column {unknown[0]!r}{nearest(unknown[0], known)}"
            raise UnknownTermError(msg)
        self.columns = {str(name): table[name].tolist() for name in table.columns}
        self.names = [str(name) for name in table.get("name", table.index)]

    def value(self, row: int, column: str) -> Any:  # noqa: ANN401  (a cell)
        """Return a cell; None if it is missing."""
        if column not in self.columns:
            return None
        found = self.columns[column][row]
        return None if not isinstance(found, (list, tuple)) and pd.isna(found) else found

    def fault(self, row: int, column: str, message: str) -> SchemaError:
        return SchemaError(f"{self.what}, row {self.names[row]!r}, column {column!r}: {message}")

    def place(self, row: int, column: str, known: Sequence[str], kind: str) -> int | None:
        """Return the place of a name in a list."""
        found = self.value(row, column)
        if found is None:
            return None
        if found not in known:
            raise self.fault(row, column, f"there is no {kind} {found!r}{nearest(str(found), known)}")
        return known.index(found)

    def seconds(self, row: int, column: str, start: np.datetime64) -> float | None:
        """Return an instant as seconds since the start."""
        found = self.value(row, column)
        if found is None:
            return None
        try:
            instant = pd.Timestamp(found)
        except (ValueError, TypeError) as error:
            raise self.fault(row, column, f"expected an instant, got {found!r}") from error
        if instant.tzinfo is not None:
            instant = instant.tz_convert("UTC").tz_localize(None)
        return float((nanoseconds(instant.to_datetime64()) - start) / SECOND)


@dataclass(frozen=True)
class _Start:
    """What the tables are written into."""

    state: State
    plan: Plan
    names: Names
    start: np.datetime64


def started(
    state: State,
    plan: Plan,
    names: Names,
    start: np.datetime64,
    *,
    entities: pd.DataFrame | None,
    transporters: pd.DataFrame | None,
    nodes: pd.DataFrame | None,
) -> tuple[State, list[str]]:
    """Return a state with what the tables say, and the names of the entities.

    Raises
    ------
    SchemaError, UnknownTermError
        If a cell names what isn't in the network, or a row is contradictory; they name row and column.
    """
    into = _Start(state, plan, names, start)
    if nodes is not None:
        _set_nodes(into, _Rows(nodes, "nodes", NODE_COLUMNS))
    if transporters is not None:
        _place_transporters(into, _Rows(transporters, "transporters", TRANSPORTER_COLUMNS))
    if entities is None:
        return state, []
    rows = _Rows(entities, "entities", ENTITY_COLUMNS)
    count = len(rows.names)
    if len(set(rows.names)) != count:
        twice = next(name for name in rows.names if rows.names.count(name) > 1)
        msg = f"entities, row {twice!r}: the name is there twice; expected each once"
        raise SchemaError(msg)
    if count >= state.entities.size:
        state = enlarged(state, at_least=2 * count)
    into = _Start(state, plan, names, start)
    since = [rows.seconds(row, "since", start) or 0.0 for row in range(count)]
    # Who joined first is first in its queue.
    for row in sorted(range(count), key=lambda row: since[row]):
        _fill(into, rows, row, since[row])
        _put(into, rows, row)
    state.counts[HIGHEST] = count
    return state, rows.names


def _fill(into: _Start, rows: _Rows, row: int, since: float) -> None:
    """Write what an entity is."""
    one = into.state.entities[row]
    one["source"], one["number"] = START_SOURCE, row
    one["kind"] = rows.place(row, "kind", into.names.kinds, "kind of entity") or 0
    one["created"] = _earlier(rows, row, "created", into.start)
    one["since"] = since
    one["began"] = _earlier(rows, row, "began", into.start)
    due = rows.seconds(row, "due", into.start)
    one["due"] = np.inf if due is None else due
    priority = rows.value(row, "priority")
    one["priority"] = 0 if priority is None else int(priority)
    one["at"] = one["goes"] = one["next"] = into.state.extras[row]["child"] = -1
    destination = rows.place(row, "destination", into.names.nodes, "node")
    route = rows.value(row, "route")
    if destination is not None and route is not None:
        raise rows.fault(row, "route", "expected a destination or a route, got both")
    one["target"] = -1 if destination is None else destination
    if route is not None:
        one["target"], one["leg"] = _route_place(into.names, rows, row, route)


def _earlier(rows: _Rows, row: int, column: str, start: np.datetime64) -> float:
    found = rows.seconds(row, column, start)
    if found is not None and found > 0:
        raise rows.fault(row, column, f"expected an instant not after the start {start}, got one {found:g} s later")
    return found or 0.0


def _route_place(names: Names, rows: _Rows, row: int, route: Any) -> tuple[int, int]:  # noqa: ANN401  (a cell)
    """Return route and place in it whose rest is the remaining route."""
    rest = tuple(part.strip() for part in route.split(">")) if isinstance(route, str) else tuple(route)
    for number, whole in enumerate(names.routes):
        place = len(whole) - len(rest)
        if place >= 0 and whole[place:] == rest:
            return -2 - number, place
    shown = " or ".join(" > ".join(whole) for whole in names.routes) or "none is stated"
    raise rows.fault(
        row, "route", f"expected the rest of a route of the demand ({shown}), got {' > '.join(map(str, rest))}"
    )


def _put(into: _Start, rows: _Rows, row: int) -> None:
    """Put an entity where it is."""
    at = rows.place(row, "at", into.names.nodes, "node")
    aboard = rows.place(row, "aboard", into.names.transporters, "transporter")
    if (at is None) == (aboard is None):
        raise rows.fault(row, "at", "expected exactly one of `at` and `aboard`")
    if aboard is not None:
        _put_aboard(into, rows, row, aboard)
        return
    assert at is not None
    one = into.state.entities[row]
    one["at"] = at
    outbound = rows.value(row, "next") is not None
    stage = rows.value(row, "stage") or ("outbound" if outbound else "queued")
    if stage == "queued":
        one["stage"] = WAITING
        queue_push(into.state.entities, into.state.extras, into.state.nodes, at, into.plan.nodes[at]["order"], row)
    elif stage == "served":
        one["stage"] = SERVED
        into.state.nodes[at]["busy"] += 1
    elif stage == "outbound":
        _put_outbound(into, rows, row, at)
    else:
        raise rows.fault(row, "stage", f"expected one of {', '.join(_STAGES)}, got {stage!r}")


def _put_aboard(into: _Start, rows: _Rows, row: int, transporter: int) -> None:
    unit = into.state.transporters[transporter]
    if unit["stage"] not in {DRIVING, PLACED, UNLOADING}:
        raise rows.fault(
            row, "aboard", f"{rows.value(row, 'aboard')!r} carries it, but isn't in the table of transporters"
        )
    group = into.plan.groups[into.plan.transporters[transporter]["group"]]
    if unit["stage"] == PLACED:
        unit["leg"] = _leg_before(into, rows, row, unit, group)
        unit["stage"] = UNLOADING
        end = into.plan.links[into.plan.legs[group["first_leg"] + unit["leg"]]["link"]]["destination"]
        into.state.nodes[end]["docked"] += into.plan.nodes[end]["docks"] >= 0
    leg = group["first_leg"] + unit["leg"]
    one = into.state.entities[row]
    one["stage"] = ABOARD
    one["at"] = into.plan.links[into.plan.legs[leg]["link"]]["origin"]
    one["goes"] = into.plan.links[into.plan.legs[leg]["link"]]["destination"]
    if unit["first"] < 0:
        unit["first"] = row
    else:
        into.state.entities[unit["last"]]["next"] = row
    unit["last"] = row
    unit["load"] += 1


def _leg_before(into: _Start, rows: _Rows, row: int, unit: Any, group: Any) -> int:  # noqa: ANN401
    """Return the leg on which a transporter came that is at a node with a load: the one before, or one of a pool that ends there."""
    if group["pool"] < 0:
        return int((unit["leg"] - 1) % group["legs"])
    first = int(group["first_leg"])
    for leg in range(int(group["legs"])):
        if into.plan.links[into.plan.legs[first + leg]["link"]]["destination"] == unit["at"]:
            return leg
    here = into.names.nodes[unit["at"]]
    raise rows.fault(row, "aboard", f"{rows.value(row, 'aboard')!r} is at {here!r}, where none of its `links` ends")


def _put_outbound(into: _Start, rows: _Rows, row: int, at: int) -> None:
    one = into.state.entities[row]
    following = rows.place(row, "next", into.names.nodes, "node")
    target = int(one["target"])
    if following is None:
        following = int(into.plan.next_hop[at, target]) if target >= 0 else -1
    link = int(into.plan.link_of[at, following]) if following >= 0 else -1
    if link < 0 or not into.plan.links[link]["carried"]:
        raise rows.fault(row, "next", f"expected a node that a transporter serves from {into.names.nodes[at]!r}")
    if target <= -2:
        one["leg"] += 1
    one["stage"] = OUTBOUND
    one["goes"] = following
    way = into.state.links[link]
    if way["first"] < 0:
        way["first"] = row
    else:
        into.state.entities[way["last"]]["next"] = row
    way["last"] = row
    way["waiting"] += 1
    way["joined"] += one["since"]
    into.state.nodes[at]["outbound"] += 1


def _place_transporters(into: _Start, rows: _Rows) -> None:
    for row, name in enumerate(rows.names):
        if name not in into.names.transporters:
            raise rows.fault(row, "name", f"there is no transporter {name!r}{nearest(name, into.names.transporters)}")
        transporter = into.names.transporters.index(name)
        unit = into.state.transporters[transporter]
        group = into.plan.groups[into.plan.transporters[transporter]["group"]]
        first, size = int(group["first_leg"]), int(group["legs"])
        legs = [leg[1:] for leg in into.names.legs[first : first + size]]
        at = rows.value(row, "at")
        if at is not None:
            starts = [origin for origin, _ in legs] if group["pool"] < 0 else _pool_nodes(into, group)
            place = _at_node(rows, row, starts, at)
            unit["stage"] = PLACED
            if group["pool"] < 0:
                unit["leg"] = place
            else:
                unit["at"] = into.names.nodes.index(starts[place])
            continue
        pair = rows.value(row, "origin"), rows.value(row, "destination")
        if pair not in legs:
            shown = ", ".join(" > ".join(leg) for leg in legs)
            ways = "leg of its route" if group["pool"] < 0 else "link of its `links`"
            raise rows.fault(row, "origin", f"expected `at`, or a {ways} ({shown}), got {pair[0]} > {pair[1]}")
        unit["stage"], unit["leg"] = DRIVING, legs.index(pair)
        unit["began"] = _earlier(rows, row, "departed", into.start)
        unit["until"] = rows.seconds(row, "arrives", into.start) or 0.0


def _pool_nodes(into: _Start, group: Any) -> list[str]:  # noqa: ANN401
    """Return the nodes from where an empty transporter of a pool gets to all of its links."""
    plan, size = into.plan, len(into.names.nodes)
    first = int(group["first_leg"])
    ends = plan.links["origin"][plan.legs["link"][first : first + int(group["legs"])]]
    longest = plan.empty_time[int(group["pool"]) * size : (int(group["pool"]) + 1) * size, ends].max(axis=1)
    return [name for name, time in zip(into.names.nodes, longest.tolist(), strict=True) if time < np.inf]


def _at_node(rows: _Rows, row: int, nodes: Sequence[str], at: object) -> int:
    """Return the place of the node where a transporter is among those where it can be."""
    if rows.value(row, "origin") is not None or rows.value(row, "destination") is not None:
        raise rows.fault(row, "at", "expected `at`, or `origin` and `destination` of one under way, got both")
    if at not in nodes:
        raise rows.fault(row, "at", f"expected a node where it drives{nearest(str(at), nodes)}, got {at!r}")
    return nodes.index(str(at))


def _set_nodes(into: _Start, rows: _Rows) -> None:
    for row, name in enumerate(rows.names):
        if name not in into.names.nodes:
            raise rows.fault(row, "name", f"there is no node {name!r}{nearest(name, into.names.nodes)}")
        place = into.names.nodes.index(name)
        if into.plan.nodes[place]["climate"] < 0:
            raise rows.fault(row, "name", f"the node {name!r} has no climate; state one, or remove the row")
        node = into.state.nodes[place]
        temperature = rows.value(row, "temperature")
        if temperature is not None:
            if not isinstance(temperature, (int, float)) or not -273.15 <= temperature < 1000:
                raise rows.fault(row, "temperature", f"expected a temperature in degC, got {temperature!r}")
            node["temperature"] = temperature
        node["cooling"] = bool(rows.value(row, "cooling"))
        closes = rows.seconds(row, "door_closes", into.start)
        if closes is not None:
            if closes <= 0 or not into.plan.nodes[place]["doored"]:
                raise rows.fault(
                    row, "door_closes", "expected an instant after the start, at a node with a `door_time_constant`"
                )
            node["doors"] = 1
            clock = 2 * (into.state.transporters.size + into.state.nodes.size) + place
            set_clock(into.state.clock_time, into.state.clock_item, into.state.clock_place, clock, closes)
