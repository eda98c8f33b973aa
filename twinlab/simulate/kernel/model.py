"""A network as a model: states and results as Datasets, the work in numba's loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.simulate.kernel.arrays import copied, empty_state, enlarged, from_dataset, started_names, to_variables
from twinlab.simulate.kernel.compiling import compiled_for
from twinlab.simulate.kernel.events import event_tables
from twinlab.simulate.kernel.horizon import servers_at
from twinlab.simulate.kernel.loops.cells import begin_cells
from twinlab.simulate.kernel.loops.changes import change_over
from twinlab.simulate.kernel.loops.run import DONE, run
from twinlab.simulate.kernel.plan import Names, compiled_plan
from twinlab.simulate.kernel.pool_plan import first_nodes
from twinlab.simulate.kernel.records import Out, Plan, State
from twinlab.simulate.kernel.results import Cells, Energy, empty_cells, labelled
from twinlab.simulate.kernel.spans import Span, nanoseconds, span_of
from twinlab.simulate.kernel.start import started
from twinlab.simulate.network.network import Network
from twinlab.simulate.network.quantities import in_unit
from twinlab.simulate.protocol import Advanced

__all__ = ["TRACED_ROWS", "NetworkModel"]

#: Rows of a trace at first; a run with more is repeated.
TRACED_ROWS = 2**16


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
    def compiled(self) -> tuple[Plan, Names]:
        """The arrays of the description, and the names of their places."""
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
        plan, names = self.compiled
        instant = nanoseconds(start)
        servers = np.array([self._servers(node, instant) for node in names.nodes], np.int32)
        state = empty_state(
            names,
            links=plan.links.size,
            servers=servers,
            duty=np.array([self._on_duty(group, instant) for group in names.duties], np.int64),
            first=first_nodes(self.network, names.nodes),
        )
        for place, node in enumerate(self.network.nodes.values()):
            if node.climate is not None:
                state.nodes[place]["temperature"] = in_unit(node.climate.initial or node.climate.switch_off, "degC")
        return self._dataset(state, start=instant, time=instant, seed=seed, replication=replication)

    def state_from(
        self,
        start: np.datetime64,
        *,
        entities: pd.DataFrame | None = None,
        transporters: pd.DataFrame | None = None,
        nodes: pd.DataFrame | None = None,
        seed: int = 0,
        replication: int = 0,
    ) -> xr.Dataset:
        """Return a state with entities and transporters where they are, and temperatures of nodes.

        Parameters
        ----------
        start : datetime64
        entities, transporters, nodes : DataFrame, optional
            One row each, with columns of `twinlab.simulate.kernel.start` (ENTITY_COLUMNS, TRANSPORTER_COLUMNS, NODE_COLUMNS).
            Transporters that aren't there begin as the description says. The rest of a service or trip under way is drawn by
            each replication.
        seed, replication : int

        Raises
        ------
        SchemaError, UnknownTermError
            If a cell names what isn't in the network, or a row is contradictory; they name row and column.
        """
        state = from_dataset(self.initial_state(start=start, seed=seed, replication=replication))
        plan, names = self.compiled
        instant = nanoseconds(start)
        state, known = started(state, plan, names, instant, entities=entities, transporters=transporters, nodes=nodes)
        found = self._dataset(state, start=instant, time=instant, seed=seed, replication=replication)
        return found.assign(started=("started", np.array(known, dtype=object)))

    def advance(
        self,
        state: xr.Dataset,
        *,
        until: np.datetime64,
        step: np.timedelta64,
        trace: bool = False,
    ) -> Advanced:
        """Advance to a later instant; see `twinlab.simulate.Model`.

        Raises
        ------
        SchemaError
            If the state is one of another model, or ``until`` isn't after its time.
        """
        span = self._span(state, until, step)
        arrays, out = self.run_span(from_dataset(state), span, traced_rows=TRACED_ROWS if trace else 0)
        arrived = np.asarray(arrays.numbers.sum() - state["numbers"].values.sum(), np.float64)
        _, names = self.compiled
        cells = Cells(out.node_cells, out.transporter_cells, out.climate_cells)
        results = labelled(cells, arrived, self.energy, names=names, times=span.times, widths=span.widths)
        later = self._dataset(
            arrays,
            start=nanoseconds(state["start"].values),
            time=nanoseconds(until),
            seed=int(state["seed"]),
            replication=int(state["replication"]),
        )
        if "started" in state:
            later = later.assign(started=state["started"])
        events: dict[str, pd.DataFrame] = {}
        if trace:
            rows = out.trace[: int(out.place[2])]
            events = event_tables(rows, names, start=nanoseconds(state["start"].values), entities=started_names(state))
        return Advanced(later, results, events)

    def advance_many(
        self, state: xr.Dataset, *, replications: Sequence[int], until: np.datetime64, step: np.timedelta64
    ) -> xr.Dataset:
        """Return the results of several forks of a state, with a first dim ``replication``."""
        span = self._span(state, until, step)
        _, names = self.compiled
        before = from_dataset(state)
        cells = empty_cells((len(replications), span.times.size), names)
        arrived = np.zeros(len(replications))
        size = 0
        for place, replication in enumerate(replications):
            fork = copied(before, seed=int(state["seed"]), replication=replication)
            if size > fork.entities.size:
                fork = enlarged(fork, at_least=size)
            after, _ = self.run_span(fork, span, cells=Cells(*(rows[place] for rows in cells)))
            arrived[place] = after.numbers.sum() - before.numbers.sum()
            size = after.entities.size
        return labelled(
            cells,
            arrived,
            self.energy,
            names=names,
            times=span.times,
            widths=span.widths,
            replications=replications,
        )

    @cached_property
    def energy(self) -> Energy:
        """Power by node and compressor, kW, and energy for a distance by transporter, kWh/km."""
        compressors = [in_unit(node.climate.power, "kW") for node in self.network.nodes.values() if node.climate]
        powers = [in_unit(node.power or "0 kW", "kW") for node in self.network.nodes.values()]
        per_km = [
            in_unit(group.energy_per_distance or "0 kWh/km", "kWh/km")
            for group in self.network.transporters.values()
            for _ in range(group.count)
        ]
        return Energy(np.array(powers), np.array(per_km), np.array(compressors))

    def _servers(self, node: str, at: np.datetime64) -> int:
        servers = self.network.nodes[node].servers
        return servers if isinstance(servers, int) else servers_at(self.network.calendars[servers], at)

    def _on_duty(self, group: str, at: np.datetime64) -> int:
        return servers_at(self.network.calendars[self.network.transporters[group].calendar or ""], at)

    def _dataset(
        self, state: State, *, start: np.datetime64, time: np.datetime64, seed: int, replication: int
    ) -> xr.Dataset:
        _, names = self.compiled
        scalars = {"start": start, "time": time, "seed": np.int64(seed), "replication": np.int64(replication)}
        attrs = {"model": self.name, "model_hash": self.content_hash()}
        return xr.Dataset({**scalars, **to_variables(state, names)}, attrs=attrs)

    def _span(self, state: xr.Dataset, until: np.datetime64, step: np.timedelta64) -> Span:
        if state.attrs.get("model_hash") != self.content_hash():
            msg = (
                f"the state is one of the model {state.attrs.get('model')!r} with hash {state.attrs.get('model_hash')!r}; "
                f"expected {self.name!r} with hash {self.content_hash()!r}"
            )
            raise SchemaError(msg)
        _, names = self.compiled
        return span_of(self.network, names, state["start"].values, state["time"].values, until, step)

    def run_span(
        self,
        state: State,
        span: Span,
        *,
        traced_rows: int = 0,
        coming_from: NetworkModel | None = None,
        cells: Cells | None = None,
    ) -> tuple[State, Out]:
        """Run the loop on the arrays of a state; where one is full, enlarge it and go on.

        With ``coming_from``, the state is one of that model, and the network changes to this one at the start of the span. ``cells``
        are filled if they are given, which saves a copy.
        """
        plan, names = self.compiled
        before = State._make(array.copy() for array in state) if traced_rows else state
        batch = int(plan.sources["batch"].max()) if plan.sources.size else 0
        out = span.out(names, batch=batch, traced_rows=traced_rows)
        if cells is not None:
            out = out._replace(
                node_cells=cells.nodes, transporter_cells=cells.transporters, climate_cells=cells.climates
            )
        compiled_for(state, plan, out)
        begin_cells(state, plan, out, span.start)
        if coming_from is not None:
            earlier = coming_from.compiled[0]
            change_over(state, earlier, plan, out, span.start, *self._differences(coming_from.network, span))
        while run(state, plan, out, span.start) != DONE:
            state = enlarged(state)
        rows = int(out.place[2])
        if rows > out.trace.size:
            return self.run_span(before, span, traced_rows=rows, coming_from=coming_from, cells=cells)
        return state, out

    def _differences(
        self, before: Network, span: Span
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], npt.NDArray[np.bool_], bool]:
        """Return servers by node, factors on times between arrivals, groups that depart by another rule, and whether ways differ."""
        after = self.network
        servers = np.array([self._servers(name, span.times[0]) for name in after.nodes], np.int32)
        means = [(before.demand[name].mean_interval, one.mean_interval) for name, one in after.demand.items()]
        factors = np.array([later / earlier if later != earlier else 1.0 for earlier, later in means], np.float64)
        groups = after.transporters.items()
        dispatched = np.array([group.dispatch != before.transporters[name].dispatch for name, group in groups], bool)
        return servers, factors, dispatched, after.next_hops != before.next_hops
