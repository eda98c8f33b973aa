"""Layout of the arrays: what is in a state, what is derived from the description, what a run returns."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "ADDED",
    "CLIMATE_CELL",
    "ENTITY",
    "EXTRA",
    "LINK",
    "NODE",
    "NODE_CELL",
    "TRACE",
    "TRANSPORTER",
    "TRANSPORTER_CELL",
    "Out",
    "Plan",
    "State",
]

Records = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Stages of an entity.
FREE: Final = 0
WAITING: Final = 1
SERVED: Final = 2
MOVING: Final = 3
BLOCKED: Final = 4
OUTBOUND: Final = 5
ABOARD: Final = 6

#: Stages of a transporter.
READY: Final = 0
HOLDING: Final = 1
LOADING: Final = 2
DRIVING: Final = 3
UNLOADING: Final = 4
STUCK: Final = 5
SCHEDULED: Final = 6
#: Of a start state: at its node, ready at once.
PLACED: Final = 7
#: Of a transporter of a pool: at a node, free or called; and on an empty drive, to whom called it or home.
IDLE: Final = 8
EMPTY: Final = 9
#: In line before the docks of a node.
LINE_TO_LOAD: Final = 10
LINE_TO_UNLOAD: Final = 11

#: Kinds of rows of a trace.
VISIT: Final = 0
LEG: Final = 1
TRIP: Final = 2
NODE_DOWN: Final = 3
TRANSPORTER_DOWN: Final = 4

#: Places in `State.counts`.
HIGHEST: Final = 0
"""Rows of `entities` that were ever used."""
FREED: Final = 1
"""First row of the list of free rows, -1 without one."""
PENDING: Final = 2
"""Number of pending events of entities."""
BEGUN: Final = 3
"""Whether the first events were drawn."""

#: What each event of an entity needs: one cache line.
ENTITY: Final = np.dtype(
    [
        ("source", "u4"),  # key of its source, and its number there: the owner of its random numbers
        ("number", "u4"),
        ("stop", "i4"),  # services begun so far
        ("target", "i4"),  # node; -1: by transitions; -2 - r: along route r
        ("leg", "i2"),  # place in the route
        ("priority", "i2"),
        ("next", "i4"),  # in a list, or its right sibling in a queue by order
        ("at", "i2"),  # node where it is or comes from, -1 outside
        ("goes", "i2"),  # node where it goes
        ("kind", "i2"),
        ("stage", "i2"),
        ("created", "f8"),
        ("due", "f8"),
        ("since", "f8"),  # when it joined where it is
        ("began", "f8"),  # when its last service, or its way without a transporter, began
    ],
    align=True,
)
#: What only queues by order and services that a breakdown may interrupt need.
EXTRA: Final = np.dtype(
    [
        ("child", "i4"),  # first child in a queue by order
        ("joined", "i8"),  # its number in such a queue
        ("paused", "f8"),  # time that its node had been down when its service was scheduled; 0 unless it is served
    ],
    align=True,
)
NODE: Final = np.dtype(
    [
        ("first", "i4"),  # first of the queue, or its root
        ("last", "i4"),
        ("waiting", "i4"),
        ("busy", "i4"),  # servers with an entity, those of `blocked` included
        ("servers", "i4"),  # that work now: 0 while the node is down
        ("planned", "i4"),  # by its calendar
        ("blocked", "i4"),  # servers whose entity can't move on
        ("first_sender", "i4"),  # who waits for room here: an entity, or -2 - k for transporter k
        ("last_sender", "i4"),
        ("outbound", "i4"),  # entities that wait for a transporter
        ("breakdowns", "i4"),
        ("down", "i4"),  # whether it is being repaired
        ("stopped", "f8"),  # how long it was or will have been down by the end of the present repair
        ("cooling", "i4"),  # whether the compressor is on
        ("doors", "i4"),  # open ones
        ("temperature", "f8"),  # degC, at the time `anchored`
        ("anchored", "f8"),
        ("order", "i8"),  # number of entities that ever joined the queue, to keep the first of equal ones first
        ("docked", "i4"),  # docks in use
        ("in_line", "i4"),  # transporters that wait for one
        ("first_in_line", "i4"),  # 1 more than the first of them, 0 for none
        ("last_in_line", "i4"),
    ],
    align=True,
)
LINK: Final = np.dtype(
    [
        ("first", "i4"),
        ("last", "i4"),
        ("waiting", "i4"),
        ("first_holding", "i4"),  # transporters that wait for entities
        ("last_holding", "i4"),
        ("joined", "f8"),  # sum of the times at which those that wait joined
        ("coming", "i4"),  # entities that the transporters of pools which were called and aren't there yet can take
    ],
    align=True,
)
TRANSPORTER: Final = np.dtype(
    [
        ("stage", "i4"),
        ("leg", "i4"),  # place in its route: where it is or comes from; of a pool: in its links, -1 if it wasn't called
        ("first", "i4"),  # load
        ("last", "i4"),
        ("load", "i4"),
        ("trip", "i4"),  # trips begun so far
        ("next", "i4"),
        ("began", "f8"),  # when its stage began
        ("until", "f8"),  # end of the wait for entities
        ("breakdowns", "i4"),
        ("down_until", "f8"),  # end of its last repair
        ("at", "i4"),  # of a pool: node where it is, or where it drives empty
        ("came", "i4"),  # of a pool: node where its empty drive began
    ],
    align=True,
)
#: Fields that states stored by earlier versions don't have.
ADDED: Final = (
    "link_coming",
    "link_joined",
    "node_docked",
    "node_first_in_line",
    "node_in_line",
    "node_last_in_line",
    "transporter_at",
    "transporter_came",
)
#: What happened at a node in a cell. Areas are numbers times seconds.
NODE_CELL: Final = np.dtype(
    [
        (name, "f8")
        for name in (
            "arrivals",
            "served",
            "started",
            "wait",
            "queue_area",
            "busy_area",
            "servers_area",
            "blocked_area",
            "outbound_area",
            "rejected",
            "delivered",
            "with_due",
            "on_time",
            "sojourn",
            "down_area",
            "docked_area",
            "line_area",
        )
    ]
)
#: What a transporter did in a cell.
TRANSPORTER_CELL: Final = np.dtype(
    [
        (name, "f8")
        for name in (
            "trips",
            "carried",
            "distance",
            "driving_area",
            "load_area",
            "down_area",
            # Of pools: with an order, driving empty, in service; distance without a load; wait of those loaded.
            "busy_area",
            "empty_area",
            "duty_area",
            "empty_distance",
            "wait",
        )
    ]
)
#: The temperature of a node in a cell: areas as above, and from when on they still have to be added.
CLIMATE_CELL: Final = np.dtype(
    [(name, "f8") for name in ("since", "temperature_area", "temperature_max", "cooling_area", "spoilage_area")]
)
#: A row of a trace: kind, place of the node or transporter, two more places, whose entity, and three times.
TRACE: Final = np.dtype(
    [
        ("kind", "i4"),
        ("subject", "i4"),
        ("a", "i4"),
        ("b", "i4"),
        ("source", "u4"),
        ("number", "u4"),
        ("start", "f8"),
        ("middle", "f8"),
        ("end", "f8"),
    ],
    align=True,
)


class State(NamedTuple):
    """Everything that a run needs to go on. Times are seconds since the state's start."""

    key: npt.NDArray[np.uint64]
    """Seed and replication."""
    counts: Integers
    entities: Records
    extras: Records
    nodes: Records
    links: Records
    transporters: Records
    drawn: Integers
    """Arrivals drawn so far, by source."""
    numbers: Integers
    """Entities made so far, by source."""
    pending_time: Floats
    """Heap of the events of entities: end of a service or of a way without transporter."""
    pending_entity: npt.NDArray[np.int32]
    source_time: Floats
    """Heap of the next arrivals."""
    source_item: npt.NDArray[np.int32]
    taken: Floats
    """Last departure of a timetable that a transporter took, by leg."""
    duty: Integers
    """How many transporters work now, by group with a calendar."""
    clock_time: Floats
    """Heap of the next events of transporters, and of breakdowns and repairs: transporter k is clock k, node n clock K + n, a
    breakdown of transporter k clock K + N + k, the thermostat of node n clock 2 K + N + n, a door closing there clock
    2 K + 2 N + n, the calls of pool g clock 2 K + 3 N + g."""
    clock_item: npt.NDArray[np.int32]
    clock_place: npt.NDArray[np.int32]


class Plan(NamedTuple):
    """What the description says, as arrays that a run only reads."""

    nodes: Records
    links: Records
    climates: Records
    """Nodes whose temperature is simulated."""
    legs: Records
    """One row for each place in the route of a group: link and distribution of the travel time."""
    groups: Records
    transporters: Records
    sources: Records
    shares_node: npt.NDArray[np.int32]
    """Destinations of the sources one after the other, with cumulative shares."""
    shares_to: Floats
    routes_first: npt.NDArray[np.int32]
    routes_node: npt.NDArray[np.int32]
    chances_first: npt.NDArray[np.int32]
    """Transitions: next nodes by node, with cumulative probabilities."""
    chances_node: npt.NDArray[np.int32]
    chances_to: Floats
    next_hop: npt.NDArray[np.int32]
    link_of: npt.NDArray[np.int32]
    service: npt.NDArray[np.int32]
    """Distribution by node and kind of entity."""
    distributions: Records
    values: Floats
    """Values of the empirical distributions one after the other."""
    profiles: Floats
    """Factors by profile and hour of the week."""
    drives: Records
    """Empty drives of the pools, one pool after the other."""
    next_drive: npt.NDArray[np.int32]
    """First drive by pool times nodes plus node, and destination; -1 where there is none."""
    empty_time: Floats
    """Mean time of that way, seconds."""
    group_of_pool: npt.NDArray[np.int32]
    """Group of each pool."""
    pools_of_links: npt.NDArray[np.int32]
    """Groups of the pools that serve a link, one link after the other."""


class Out(NamedTuple):
    """What happened in a span, and what of the calendar falls into it."""

    node: Records
    """The present cell, by node."""
    transporter: Records
    climate: Records
    node_cells: Records
    transporter_cells: Records
    climate_cells: Records
    place: Integers
    """Present cell, next change of servers, rows of the trace, whether to trace, most entities that arrive at once."""
    edge: Floats
    """End of the present cell, end of the span, width of a cell, start of the first quarter of `hours`."""
    switch_time: Floats
    """Changes of servers in the span."""
    switch_node: npt.NDArray[np.int32]
    switch_servers: npt.NDArray[np.int32]
    hours: npt.NDArray[np.int16]
    """Hour of the week by profile and quarter of an hour of the span."""
    work: npt.NDArray[np.int32]
    """Nodes still to settle."""
    departures: Floats
    """Departures of timetables in the span and the nine days after it, one leg after the other."""
    departures_first: npt.NDArray[np.int32]
    windows: Records
    """Weather: spans in which travel takes longer."""
    trace: Records
