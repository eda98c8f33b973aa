"""A network as a model: states and results as Datasets, the work in numba's loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.simulate.kernel.arrays import copied, empty_state, enlarged, from_dataset, to_variables
from twinlab.simulate.kernel.horizon import hours_of_week, server_changes, servers_at
from twinlab.simulate.kernel.loops.cells import open_cell
from twinlab.simulate.kernel.loops.run import DONE, run
from twinlab.simulate.kernel.plan import Names, compiled_plan
from twinlab.simulate.kernel.records import NODE_CELL, TRANSPORTER_CELL, Out, Plan, State
from twinlab.simulate.kernel.results import kpi_variables, labelled
from twinlab.simulate.network.network import Network
from twinlab.simulate.protocol import Advanced

__all__ = ["NetworkModel", "nanoseconds"]

_SECOND = np.timedelta64(1_000_000_000, "ns")


def nanoseconds(instant: Any) -> Any:  # noqa: ANN401  (numpy's instants have a type for each unit)
    """Return an instant as datetime64[ns]."""
    return np.asarray(instant).astype("datetime64[ns]")[()]


@dataclass(frozen=True)
class _Span:
    """A span of a run, and what of the calendar falls into it."""

    start: float
    stop: float
    step: float
    times: npt.NDArray[np.datetime64]
    widths: npt.NDArray[np.float64]
    first_quarter: float
    hours: npt.NDArray[np.int16]
    switches: tuple[npt.NDArray[np.float64], npt.NDArray[np.int32], npt.NDArray[np.int32]]


@dataclass(frozen=True)
class NetworkModel:
    """A network that can be simulated.

    Parameters
    ----------
    network : Network

    >>> network = Network(name="bank", nodes={"counter": {"type": "counter", "service": "2 min"}},
    ...     demand={"customers": {"at": "counter", "interval": "3 min"}})
    >>> model = NetworkModel(network)
    >>> state = model.initial_state(start=np.datetime64("2026-01-05"))
    >>> done = model.advance(state, until=np.datetime64("2026-01-05T01:00"), step=np.timedelta64(1, "h"))
    >>> done.results["counter_served"].values.tolist()
    [[19.0]]
    """

    network: Network

    @property
    def name(self) -> str:
        """Name of the network."""
        return self.network.name

    @cached_property
    def _hash(self) -> str:
        return self.network.content_hash()

    def content_hash(self) -> str:
        """Hash of the description, hexadecimal."""
        return self._hash

    @cached_property
    def _compiled(self) -> tuple[Plan, Names]:
        return compiled_plan(self.network)

    def __getstate__(self) -> dict[str, Any]:
        """Return the description only; the arrays are made again where they are needed."""
        return {"network": self.network}

    def __setstate__(self, state: dict[str, Any]) -> None:
        object.__setattr__(self, "network", state["network"])

    def initial_state(self, *, start: np.datetime64, seed: int = 0, replication: int = 0) -> xr.Dataset:
        """Return the empty network at a start.

        Raises
        ------
        SchemaError
            If the seed or the replication isn't between 0 and 2**32 - 1.
        """
        for what, number in (("seed", seed), ("replication", replication)):
            if not 0 <= number < 2**32:
                msg = f"expected a {what} from 0 to 4294967295, got {number}"
                raise SchemaError(msg)
        plan, names = self._compiled
        instant = nanoseconds(start)
        servers = np.array([self._servers(node, instant) for node in names.nodes], np.int32)
        state = empty_state(names, links=plan.links.size, clocks=plan.transporters.size, servers=servers)
        return self._dataset(state, start=instant, time=instant, seed=seed, replication=replication)

    def advance(
        self,
        state: xr.Dataset,
        *,
        until: np.datetime64,
        step: np.timedelta64,
        trace: bool = False,  # noqa: ARG002
    ) -> Advanced:
        """Advance to a later instant; see `twinlab.simulate.Model`.

        Raises
        ------
        SchemaError
            If the state is one of another model, or ``until`` isn't after its time.
        """
        span = self._span(state, until, step)
        arrays, nodes, transporters = self._run(from_dataset(state), span)
        arrived = np.asarray(arrays.numbers.sum() - state["numbers"].values.sum(), np.float64)
        _, names = self._compiled
        kpis = kpi_variables(nodes, transporters, arrived, span.stop - span.start)
        results = labelled(nodes, transporters, kpis, names=names, times=span.times, widths=span.widths)
        later = self._dataset(
            arrays,
            start=nanoseconds(state["start"].values),
            time=nanoseconds(until),
            seed=int(state["seed"]),
            replication=int(state["replication"]),
        )
        return Advanced(later, results)

    def advance_many(
        self, state: xr.Dataset, *, replications: Sequence[int], until: np.datetime64, step: np.timedelta64
    ) -> xr.Dataset:
        """Return the results of several forks of a state, with a first dim ``replication``."""
        span = self._span(state, until, step)
        _, names = self._compiled
        before = from_dataset(state)
        nodes = np.zeros((len(replications), span.times.size, len(names.nodes)), NODE_CELL)
        transporters = np.zeros((len(replications), span.times.size, len(names.transporters)), TRANSPORTER_CELL)
        arrived = np.zeros(len(replications))
        size = 0
        for place, replication in enumerate(replications):
            fork = copied(before, seed=int(state["seed"]), replication=replication)
            if size > fork.entities.size:
                fork = enlarged(fork, at_least=size)
            after, nodes[place], transporters[place] = self._run(fork, span)
            arrived[place] = after.numbers.sum() - before.numbers.sum()
            size = after.entities.size
        kpis = kpi_variables(nodes, transporters, arrived, span.stop - span.start)
        return labelled(
            nodes,
            transporters,
            kpis,
            names=names,
            times=span.times,
            widths=span.widths,
            replications=replications,
        )

    def _servers(self, node: str, at: np.datetime64) -> int:
        servers = self.network.nodes[node].servers
        return servers if isinstance(servers, int) else servers_at(self.network.calendars[servers], at)

    def _dataset(
        self, state: State, *, start: np.datetime64, time: np.datetime64, seed: int, replication: int
    ) -> xr.Dataset:
        _, names = self._compiled
        scalars = {"start": start, "time": time, "seed": np.int64(seed), "replication": np.int64(replication)}
        attrs = {"model": self.name, "model_hash": self.content_hash()}
        return xr.Dataset({**scalars, **to_variables(state, names)}, attrs=attrs)

    def _span(self, state: xr.Dataset, until: np.datetime64, step: np.timedelta64) -> _Span:
        if state.attrs.get("model_hash") != self.content_hash():
            msg = (
                f"the state is one of the model {state.attrs.get('model')!r} with hash {state.attrs.get('model_hash')!r}; "
                f"expected {self.name!r} with hash {self.content_hash()!r}"
            )
            raise SchemaError(msg)
        start, now, stop = nanoseconds(state["start"].values), nanoseconds(state["time"].values), nanoseconds(until)
        width: Any = np.timedelta64(step, "ns")
        if not (now < stop and width > np.timedelta64(0)):
            msg = f"expected `until` after the state's time {now} and a `step` above 0, got {until} and {step}"
            raise SchemaError(msg)
        times = np.arange(now, stop, width)
        widths = np.append(np.diff(times), stop - times[-1]) / _SECOND
        plan, names = self._compiled
        quarter = now.astype("datetime64[m]").astype(np.int64) // 15 * 15
        first = quarter.astype("datetime64[m]").astype("datetime64[ns]")
        hours = [hours_of_week(zone, first, stop) for zone in names.profile_zones or ("UTC",)]
        assert plan.profiles.shape[0] == len(hours)
        return _Span(
            start=(now - start) / _SECOND,
            stop=(stop - start) / _SECOND,
            step=width / _SECOND,
            times=times,
            widths=widths,
            first_quarter=(first - start) / _SECOND,
            hours=np.array(hours),
            switches=self._switches(start, now, stop),
        )

    def _switches(
        self, start: np.datetime64, now: np.datetime64, stop: np.datetime64
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        times, nodes, servers = [np.empty(0)], [np.empty(0, np.int32)], [np.empty(0, np.int32)]
        for place, node in enumerate(self.network.nodes.values()):
            if isinstance(node.servers, str):
                at, count = server_changes(self.network.calendars[node.servers], now, stop)
                times.append((at - start) / _SECOND)
                nodes.append(np.full(at.size, place, np.int32))
                servers.append(count)
        order = np.argsort(np.concatenate(times), kind="stable")
        return np.concatenate(times)[order], np.concatenate(nodes)[order], np.concatenate(servers)[order]

    def _run(self, state: State, span: _Span) -> tuple[State, npt.NDArray[Any], npt.NDArray[Any]]:
        """Run the loop; where an array is full, enlarge it and go on."""
        plan, names = self._compiled
        cells = span.times.size
        batch = int(plan.sources["batch"].max()) if plan.sources.size else 0
        out = Out(
            node=np.zeros(len(names.nodes), NODE_CELL),
            transporter=np.zeros(len(names.transporters), TRANSPORTER_CELL),
            node_cells=np.zeros((cells, len(names.nodes)), NODE_CELL),
            transporter_cells=np.zeros((cells, len(names.transporters)), TRANSPORTER_CELL),
            place=np.array([0, 0, 0, 0, batch], np.int64),
            edge=np.array([0.0, span.stop, span.step, span.first_quarter]),
            switch_time=span.switches[0],
            switch_node=span.switches[1],
            switch_servers=span.switches[2],
            hours=span.hours,
            work=np.zeros(len(names.nodes) + 1, np.int32),
        )
        open_cell(state, out, span.start)
        while run(state, plan, out, span.start) != DONE:
            state = enlarged(state)
        return state, out.node_cells, out.transporter_cells
