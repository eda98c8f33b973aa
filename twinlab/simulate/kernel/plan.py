"""From a description to the arrays that a run reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from twinlab.simulate.kernel.plan_records import CLIMATE, DISTRIBUTION, GROUP, LEG, LINK, NODE, SOURCE, UNIT
from twinlab.simulate.kernel.pool_plan import Pools, distance_km, driving_time, pools_of
from twinlab.simulate.kernel.records import Plan
from twinlab.simulate.network.quantities import in_unit
from twinlab.simulate.network.routing import carried_links, legs, mean_time, next_nodes
from twinlab.simulate.network.scaling import scaled

if TYPE_CHECKING:
    from twinlab.simulate.network.breakdowns import Breakdowns
    from twinlab.simulate.network.distributions import TimeDistribution
    from twinlab.simulate.network.network import Network

__all__ = ["Names", "compiled_plan", "owner_key"]

_ORDERS: Final = {"fifo": 0, "priority": 1, "due": 2}


@dataclass(frozen=True)
class Names:
    """Names by place in the arrays."""

    nodes: tuple[str, ...]
    node_types: tuple[str, ...]
    climates: tuple[str, ...]
    """Nodes whose temperature is simulated."""
    transporters: tuple[str, ...]
    transporter_types: tuple[str, ...]
    kinds: tuple[str, ...]
    sources: tuple[str, ...]
    source_keys: tuple[tuple[int, str], ...]
    """Key and name of each source."""
    routes: tuple[tuple[str, ...], ...]
    legs: tuple[tuple[str, str, str], ...]
    """Group, origin and destination of each row of `Plan.legs`."""
    leg_means: tuple[float, ...]
    """Mean travel time of each, seconds."""
    profile_zones: tuple[str, ...]
    """Time zone of each row of `Plan.profiles`."""
    groups: tuple[str, ...]
    """Groups of transporters."""
    docks: tuple[str, ...]
    """Nodes with a number of docks."""
    duties: tuple[str, ...]
    """Groups of transporters with a calendar."""
    pools: tuple[str, ...]
    """Groups that are called to links."""
    pooled: tuple[bool, ...]
    """Whether each transporter is in a pool."""
    empty_means: Mapping[tuple[str, str, str], float]
    """Mean travel time, seconds, by group, origin and destination of each empty drive."""


def owner_key(kind: str, name: str) -> int:
    """Return the 32 bits by which an owner's random numbers are counted; they depend on its name only.

    >>> owner_key("source", "parcels") == owner_key("source", "parcels") != owner_key("transporter", "parcels")
    True
    """
    return int.from_bytes(hashlib.sha256(f"{kind}:{name}".encode()).digest()[:4], "big")


class _Tables:
    """Distributions and profiles, each once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.rows: dict[tuple[object, ...], int] = {}
        self.values: list[float] = []
        self.profiles: dict[tuple[str, bool], int] = {}

    def distribution(self, one: TimeDistribution | float) -> int:
        """Return the place of a distribution, or of a constant number of seconds."""
        if isinstance(one, float):
            row: tuple[object, ...] = (0, (one,), ())
        else:
            row = (one.code, one.parameters, one.values_seconds)
        return self.rows.setdefault(row, len(self.rows))

    def breakdowns(self, one: Breakdowns | None) -> tuple[int, int]:
        """Return the places of uptime and repair; -1 without breakdowns."""
        return (-1, -1) if one is None else (self.distribution(one.uptime), self.distribution(one.repair))

    def profile(self, name: str | None, *, scaled: bool) -> int:
        """Return the place of a profile, divided by its highest factor if ``scaled``; -1 for none."""
        return -1 if name is None else self.profiles.setdefault((name, scaled), len(self.profiles))

    def distribution_table(self) -> tuple[npt.NDArray[np.void], npt.NDArray[np.float64]]:
        """Return the distributions and the values of the empirical ones."""
        table = np.zeros(len(self.rows), DISTRIBUTION)
        values: list[float] = []
        for place, (code, parameters, observed) in enumerate(self.rows):
            numbers = list(parameters)[:3]  # type: ignore[call-overload]
            table[place] = (code, len(values), *numbers, *([0.0] * (3 - len(numbers))))
            values += observed  # type: ignore[arg-type]
        return table, np.array(values or [0.0])

    def profile_table(self) -> npt.NDArray[np.float64]:
        """Return the factors by profile and hour of the week."""
        table = np.ones((max(len(self.profiles), 1), 168))
        for (name, to_highest), place in self.profiles.items():
            factors = np.array(self.network.profiles[name].by_hour)
            table[place] = factors / factors.max() if to_highest else factors
        return table


def compiled_plan(network: Network) -> tuple[Plan, Names]:
    """Return the arrays of a description and the names of their places."""
    nodes = {name: place for place, name in enumerate(network.nodes)}
    kinds = list(dict.fromkeys(["entity"] * (not network.demand) + [one.kind for one in network.demand.values()]))
    tables = _Tables(network)
    node_rows, service = _nodes(network, kinds, tables)
    pools = pools_of(network, nodes, tables.distribution)
    links, link_of = _links(network, nodes, tables, pools)
    groups, leg_rows, units, transporters, types = _groups(network, link_of, nodes, tables, pools)
    sources, shares_node, shares_to, routes = _sources(network, nodes, kinds, tables)
    chances = _chances(network, nodes)
    table, values = tables.distribution_table()
    plan = Plan(
        nodes=node_rows,
        links=links,
        climates=_climates(network),
        legs=leg_rows,
        groups=groups,
        transporters=units,
        sources=sources,
        shares_node=shares_node,
        shares_to=shares_to,
        routes_first=np.cumsum([0, *map(len, routes)], dtype=np.int32),
        routes_node=np.array([nodes[name] for route in routes for name in route], np.int32),
        chances_first=chances[0],
        chances_node=chances[1],
        chances_to=chances[2],
        next_hop=_next_hop(network, nodes),
        link_of=link_of,
        service=service,
        distributions=table,
        values=values,
        profiles=tables.profile_table(),
        drives=pools.drives,
        next_drive=pools.next_drive,
        empty_time=pools.empty_time,
        group_of_pool=pools.group_of,
        pools_of_links=pools.of_links,
    )
    names = Names(
        nodes=tuple(nodes),
        node_types=tuple(node.type for node in network.nodes.values()),
        climates=tuple(name for name, node in network.nodes.items() if node.climate is not None),
        transporters=tuple(transporters),
        transporter_types=tuple(types),
        kinds=tuple(kinds),
        sources=tuple(network.demand),
        source_keys=tuple((owner_key("source", name), name) for name in network.demand),
        routes=tuple(routes),
        legs=tuple((name, *pair) for name, group in network.transporters.items() for pair in legs(group)),
        leg_means=tuple(_leg_means(network)),
        profile_zones=tuple(network.profiles[name].zone for name, _ in tables.profiles),
        docks=tuple(name for name, node in network.nodes.items() if node.docks is not None),
        duties=pools.duties,
        groups=tuple(network.transporters),
        pools=pools.names,
        pooled=tuple(group.pooled for group in network.transporters.values() for _ in range(group.count)),
        empty_means=pools.empty_means,
    )
    return plan, names


def _nodes(network: Network, kinds: list[str], tables: _Tables) -> tuple[npt.NDArray[np.void], npt.NDArray[np.int32]]:
    service = np.zeros((len(network.nodes), len(kinds)), np.int32)
    for place, node in enumerate(network.nodes.values()):
        for column, kind in enumerate(kinds):
            one = node.service.get(kind, 0.0) if isinstance(node.service, dict) else node.service
            service[place, column] = tables.distribution(one)
    cold = [name for name, node in network.nodes.items() if node.climate is not None]
    places = {name: place for place, name in enumerate(cold)}
    node_rows = np.array(
        [
            (
                _ORDERS[node.order],
                -1 if node.buffer is None else node.buffer,
                node.when_full == "reject",
                -1 if node.docks is None else node.docks,
                *tables.breakdowns(node.breakdowns),
                owner_key("node", name),
                places.get(name, -1),
                node.climate is not None and in_unit(node.climate.rise_per_entity, "K") > 0,
                node.climate is not None and node.climate.door_time_constant is not None,
            )
            for name, node in network.nodes.items()
        ],
        NODE,
    )
    return node_rows, service


def _climates(network: Network) -> npt.NDArray[np.void]:
    rows = []
    for place, node in enumerate(network.nodes.values()):
        one = node.climate
        if one is not None:
            ambient = in_unit(one.ambient, "degC")
            rows.append(
                (
                    place,
                    ambient,
                    1 / in_unit(one.time_constant, "s"),
                    1 / in_unit(one.door_time_constant, "s") if one.door_time_constant else 0.0,
                    ambient - in_unit(one.coldest, "degC"),
                    in_unit(one.rise_per_entity, "K"),
                    in_unit(one.switch_off, "degC"),
                    in_unit(one.switch_on, "degC"),
                    in_unit(one.limit, "degC") if one.limit else np.inf,
                )
            )
    return np.array(rows, CLIMATE)


def _next_hop(network: Network, nodes: dict[str, int]) -> npt.NDArray[np.int32]:
    hop = np.full((len(nodes), len(nodes)), -1, np.int32)
    # To all nodes: during a change of demand, entities are still on their way to where it went before.
    for destination, hops in next_nodes(network, to=network.nodes).items():
        for node_name, following in hops.items():
            hop[nodes[node_name], nodes[destination]] = nodes[following]
    return hop


def _links(
    network: Network, nodes: dict[str, int], tables: _Tables, pools: Pools
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.int32]]:
    carried = carried_links(network)
    rows: list[tuple[object, ...]] = []
    link_of = np.full((len(nodes), len(nodes)), -1, np.int32)
    for link in network.directed_links():
        pair = link.origin, link.destination
        origin, destination = nodes[pair[0]], nodes[pair[1]]
        link_of[origin, destination] = len(rows)
        travel = tables.distribution(scaled(link.travel, link.travel_factor) if link.travel is not None else 0.0)
        rows.append((pair in carried, travel, origin, destination, *pools.at_link(pair)))
    return np.array(rows, LINK), link_of


def _groups(
    network: Network, link_of: npt.NDArray[np.int32], nodes: dict[str, int], tables: _Tables, pools: Pools
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.void], npt.NDArray[np.void], list[str], list[str]]:
    links = {(link.origin, link.destination): link for link in network.directed_links()}
    group_rows: list[tuple[object, ...]] = []
    leg_rows: list[tuple[object, ...]] = []
    units: list[tuple[int, int, int, bool]] = []
    names: list[str] = []
    types: list[str] = []
    for place, (name, group) in enumerate(network.transporters.items()):
        driven = legs(group)
        wait = group.dispatch.wait_at_most
        group_rows.append(
            (
                group.capacity,
                len(leg_rows),
                len(driven),
                tables.distribution(group.loading),
                tables.distribution(group.unloading),
                tables.distribution(group.turnaround),
                tables.distribution(group.first_ready),
                min(group.dispatch.at_least, group.capacity),
                tables.profile(group.profile, scaled=False),
                *tables.breakdowns(group.breakdowns),
                *pools.of_group(name),
                len(units),
                group.count,
                np.inf if wait is None else in_unit(wait, "s"),
                0.0 if group.dispatch.every is None else in_unit(group.dispatch.every, "s"),
                group.speed_factor,
            )
        )
        for origin, destination in driven:
            link = links[origin, destination]
            travel, distance = tables.distribution(driving_time(link, group)), distance_km(link)
            leg_rows.append((link_of[nodes[origin], nodes[destination]], travel, distance))
        key = owner_key("transporter", name)
        units += [(place, key, number, number >= group.count - group.out_of_service) for number in range(group.count)]
        names += [f"{name}/{number + 1}" for number in range(group.count)]
        types += [group.type] * group.count
    return np.array(group_rows, GROUP), np.array(leg_rows, LEG), np.array(units, UNIT), names, types


def _leg_means(network: Network) -> list[float]:
    links = {(link.origin, link.destination): link for link in network.directed_links()}
    return [mean_time(links[pair], [group]) for group in network.transporters.values() for pair in legs(group)]


def _sources(
    network: Network, nodes: dict[str, int], kinds: list[str], tables: _Tables
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.int32], npt.NDArray[np.float64], list[tuple[str, ...]]]:
    rows: list[tuple[object, ...]] = []
    share_nodes: list[int] = []
    share_to: list[float] = []
    routes: list[tuple[str, ...]] = []
    for name, demand in network.demand.items():
        target = -1
        if demand.route is not None:
            target = -2 - len(routes)
            routes.append(demand.route)
        shares = {other: share for other, share in (demand.to or {}).items() if share > 0}
        mean = np.inf
        if demand.rate is not None and in_unit(demand.rate, "1/s") > 0:
            highest = max(network.profiles[demand.profile].factors) if demand.profile else 1.0
            mean = 1 / (in_unit(demand.rate, "1/s") * highest)
        rows.append(
            (
                owner_key("source", name),
                nodes[demand.at],
                kinds.index(demand.kind),
                demand.priority,
                target,
                len(share_nodes),
                len(shares),
                -1 if demand.interval is None else tables.distribution(demand.interval),
                -1 if demand.due is None else tables.distribution(demand.due),
                tables.profile(demand.profile, scaled=True),
                demand.batch,
                mean,
            )
        )
        share_nodes += [nodes[other] for other in shares]
        if shares:
            to = np.cumsum(list(shares.values())) / sum(shares.values())
            to[-1] = 1.0
            share_to += to.tolist()
    return np.array(rows, SOURCE), np.array(share_nodes, np.int32), np.array(share_to, np.float64), routes


def _chances(
    network: Network, nodes: dict[str, int]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    first, following, to = [0], [], []
    for name in nodes:
        total = 0.0
        for other, share in network.transitions.get(name, {}).items():
            total += share
            following.append(nodes[other])
            to.append(1.0 if abs(total - 1) < 1e-9 else total)
        first.append(len(following))
    return np.array(first, np.int32), np.array(following, np.int32), np.array(to, np.float64)
