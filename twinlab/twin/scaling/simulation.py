"""Larger twins as queues: workers that read tiles of an object store, and historians that take rows in, simulated with measured costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from twinlab.errors import SchemaError

if TYPE_CHECKING:
    from twinlab.simulate.network.network import Network

__all__ = ["Ingest", "Scan", "SimulatedRun", "simulate_ingest", "simulate_scan"]

#: Shares of the bottleneck's capacity that demand asks for, so that it always has work; tasks that are simulated at it.
_OVERLOAD, _TASKS = 1.05, 2000
#: Cells of the simulated time in which work is counted.
_CELLS: Final = 100
#: Servers of a node, at most.
_SERVERS: Final = 100_000
#: Start of simulated time; nothing depends on it.
_START: Final = "2026-01-01"


@dataclass(frozen=True)
class Scan:
    """All cells of a twin in an object store, read and folded by workers: a task is a shard.

    Raises
    ------
    SchemaError
        If a number isn't above zero.
    """

    cells: float
    bytes_per_cell: float
    cpu_per_cell: float
    """Seconds of processor."""
    workers: int = 2
    """Cores that fold cells."""
    connections: int = 32
    """Requests under way of each worker."""
    latency: float = 0.02
    """Seconds from a request to its first byte."""
    bandwidth: float = 1e9
    """Bytes a second of the link to the store."""
    cells_per_task: float = 16 * 8 * 2**15
    """Of a shard of the layout."""
    requests_per_task: float = 2
    """One after the other: the shard's index, its tiles."""
    variation: float = 0.3
    """Standard deviation of latencies, as a share of the mean."""

    def __post_init__(self) -> None:
        _check_positive(
            self, ("cells", "bytes_per_cell", "cpu_per_cell", "workers", "connections", "bandwidth", "cells_per_task")
        )

    @property
    def tasks(self) -> int:
        """Shards."""
        return math.ceil(self.cells / self.cells_per_task)

    @property
    def stages(self) -> dict[str, tuple[int, float]]:
        """Servers, and seconds of a server for a task, by stage."""
        cells = min(self.cells_per_task, self.cells)
        return {
            "requests": (self.workers * self.connections, self.requests_per_task * self.latency),
            "link": (1, cells * self.bytes_per_cell / self.bandwidth),
            "cores": (self.workers, cells * self.cpu_per_cell),
        }


@dataclass(frozen=True)
class Ingest:
    """Rows of writers, each of which commits groups of rows durably, and of historians that build the history: a task is a group.

    Raises
    ------
    SchemaError
        If a number isn't above zero.
    """

    rows: float
    append_per_row: float
    """Seconds of processor of a writer."""
    build_per_row: float
    """Seconds of processor of a historian."""
    writers: int = 1
    """Sources, each with a writer."""
    historians: int = 1
    """Cores that build."""
    commit: float = 0.002
    """Seconds until a group is durable: an fsync, or a PUT of an object store."""
    rows_per_task: float = 100_000
    variation: float = 0.3

    def __post_init__(self) -> None:
        _check_positive(self, ("rows", "append_per_row", "build_per_row", "writers", "historians", "rows_per_task"))

    @property
    def tasks(self) -> int:
        """Groups of rows."""
        return math.ceil(self.rows / self.rows_per_task)

    @property
    def stages(self) -> dict[str, tuple[int, float]]:
        """Servers, and seconds of a server for a task, by stage."""
        rows = min(self.rows_per_task, self.rows)
        return {
            "writers": (self.writers, rows * self.append_per_row + self.commit),
            "historians": (self.historians, rows * self.build_per_row),
        }


@dataclass(frozen=True)
class SimulatedRun:
    """What a simulated run took."""

    seconds: float
    """By the clock."""
    tasks: int
    busy: Mapping[str, float]
    """Stage -> share of its servers that are at work."""

    @property
    def bottleneck(self) -> str:
        """The stage that is busiest."""
        return max(self.busy, key=lambda name: self.busy[name])


def simulate_scan(scan: Scan, *, seed: int = 1) -> SimulatedRun:
    """Return how long workers need for all cells, and which stage is busiest.

    >>> simulate_scan(Scan(1e9, 0.5, 2e-8, workers=2, latency=0.02)).bottleneck
    'cores'
    """
    return _run("scan", scan.stages, scan.tasks, scan.variation, seed)


def simulate_ingest(ingest: Ingest, *, seed: int = 1) -> SimulatedRun:
    """Return how long writers and historians need for all rows, and which of them is busiest."""
    return _run("ingest", ingest.stages, ingest.tasks, ingest.variation, seed)


def _run(name: str, stages: Mapping[str, tuple[int, float]], tasks: int, variation: float, seed: int) -> SimulatedRun:
    """Simulate a line of stages that always has work; the rest of a long run is assumed to have the rate that is reached."""
    from twinlab import simulate  # noqa: PLC0415  (few simulate)

    # In units of the bottleneck's time for a task: a task a second, whatever the stages' times are.
    # A stage has at most as many servers as a node may have; more of them never are the bottleneck of what is simulated here.
    pace = max(seconds / servers for servers, seconds in stages.values())
    work = {
        stage: (min(servers, _SERVERS), seconds / pace) for stage, (servers, seconds) in stages.items() if seconds > 0
    }
    filling = sum(seconds for _, seconds in work.values())
    simulated = min(tasks, _TASKS)
    horizon = math.ceil(filling * 3 + simulated * 1.3) + _CELLS
    step = math.ceil(horizon / _CELLS)
    horizon = step * _CELLS
    results = simulate.run(
        _network(name, work, variation), start=_START, horizon=f"{horizon}s", step=f"{step}s", replications=2, seed=seed,
        progress=False,
    )  # fmt: skip
    begin, end = int(_CELLS * 0.5), int(_CELLS * 0.95)

    def cells(stage: str, *names: str) -> list[Any]:
        found = results.signals(stage).isel(scenario=0).mean(("replication", "asset"))
        return [found[one].to_numpy()[begin:end] for one in names]

    (done,) = cells(list(work)[-1], "delivered")
    rate = float(done.sum()) / ((end - begin) * step)
    busy = {}
    for stage in work:
        # A server that can't hand its task on is busy in the simulation's words, but not at work.
        taken, blocked, servers = cells(stage, "busy", "blocked", "servers")
        busy[stage] = float(((taken - blocked) / servers).mean())
    # The first task goes through all stages, the others follow at the rate of the busiest one.
    return SimulatedRun((filling + (tasks - 1) / max(rate, 1e-12)) * pace, tasks, busy)


def _network(name: str, work: Mapping[str, tuple[int, float]], variation: float) -> Network:
    from twinlab import simulate  # noqa: PLC0415

    nodes: dict[str, Any] = {}
    for stage, (servers, seconds) in work.items():
        service: Any = {"kind": "lognormal", "mean": f"{seconds:.9f} s", "cv": variation}
        # Few wait before a stage: a worker has room for some shards only.
        nodes[stage] = {"type": stage, "servers": servers, "service": service, "buffer": 2 * servers + 2}
    names = list(work)
    links = [{"from": one, "to": other} for one, other in pairwise(names)]
    demand: dict[str, Any] = {"kind": "task", "at": names[0], "interval": f"{1 / _OVERLOAD:.9f} s"}
    if len(names) > 1:
        demand["route"] = names[1:]
    made: Network = simulate.Network(name=name, nodes=nodes, links=links, demand={"tasks": demand})
    return made


def _check_positive(what: object, names: tuple[str, ...]) -> None:
    for name in names:
        value = getattr(what, name)
        if not value > 0 or not math.isfinite(value):
            msg = f"expected {name} above 0, got {value!r}"
            raise SchemaError(msg)
