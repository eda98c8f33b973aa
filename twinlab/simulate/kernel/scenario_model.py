"""A scenario as a model: its network changes at the instants at which the scenario's changes begin and end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.simulate.kernel.arrays import copied, enlarged, from_dataset, started_names, to_variables
from twinlab.simulate.kernel.events import event_tables
from twinlab.simulate.kernel.model import TRACED_ROWS, NetworkModel
from twinlab.simulate.kernel.records import BEGUN, State
from twinlab.simulate.kernel.results import Cells, add_cells, empty_cells, labelled, stacked_cells
from twinlab.simulate.kernel.spans import SECOND, Span, nanoseconds, span_of
from twinlab.simulate.protocol import Advanced
from twinlab.simulate.scenarios.parts import parts_of
from twinlab.simulate.scenarios.scenario import Scenario

__all__ = ["ScenarioModel"]


@dataclass(frozen=True)
class _Piece:
    """A span with one network, and the place of its first cell among those of the run."""

    model: NetworkModel
    span: Span
    first: int


@dataclass(frozen=True)
class _Grid:
    """Cells of a run, and its pieces in order."""

    times: npt.NDArray[np.datetime64]
    widths: npt.NDArray[np.float64]
    pieces: tuple[_Piece, ...]


@dataclass(frozen=True)
class ScenarioModel:
    """A scenario that can be simulated.

    What has begun when the network changes ends as it began: services and trips take the time that was drawn. Random numbers
    are those of the base, as far as the same things happen.

    Parameters
    ----------
    scenario : Scenario
        With its base.

    >>> from twinlab.simulate.network import Network
    >>> bank = Network(name="bank", nodes={"desk": {"type": "desk", "service": "2 min"}},
    ...     demand={"all": {"at": "desk", "interval": "3 min"}})
    >>> closed = Scenario("closed", bank, [{"kind": "close", "node": "desk", "start": "30min", "stop": "90min"}])
    >>> model = ScenarioModel(closed)
    >>> state = model.initial_state(start=np.datetime64("2026-01-05"))
    >>> done = model.advance(state, until=np.datetime64("2026-01-05T02:00"), step=np.timedelta64(30, "m"))
    >>> done.results["desk_served"].values.T.tolist()
    [[9.0, 0.0, 0.0, 14.0]]
    """

    scenario: Scenario

    def __post_init__(self) -> None:
        if self.scenario.base is None:
            msg = f"scenario {self.scenario.name!r} has no base; expected `Scenario(name, network, changes)`"
            raise SchemaError(msg)

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return self.scenario.name

    @cached_property
    def _hash(self) -> str:
        return self.scenario.content_hash()

    def content_hash(self) -> str:
        """Hash of the base and the changes, hexadecimal."""
        return self._hash

    @cached_property
    def _models(self) -> dict[str, NetworkModel]:
        """Models of the networks met so far, by hash."""
        return {}

    def __getstate__(self) -> dict[str, Any]:
        """Return the scenario only; the arrays are made again where they are needed."""
        return {"scenario": self.scenario}

    def __setstate__(self, state: dict[str, Any]) -> None:
        object.__setattr__(self, "scenario", state["scenario"])

    def initial_state(self, *, start: np.datetime64, seed: int = 0, replication: int = 0) -> xr.Dataset:
        """Return the empty network at a start; see `NetworkModel.initial_state`."""
        model = self._model_at(nanoseconds(start), nanoseconds(start))
        return self._own(model.initial_state(start=start, seed=seed, replication=replication), model)

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
        """Return a state from tables of what is where; see `NetworkModel.state_from`."""
        model = self._model_at(nanoseconds(start), nanoseconds(start))
        made = model.state_from(
            start, entities=entities, transporters=transporters, nodes=nodes, seed=seed, replication=replication
        )
        return self._own(made, model)

    def advance(
        self, state: xr.Dataset, *, until: np.datetime64, step: np.timedelta64, trace: bool = False
    ) -> Advanced:
        """Advance to a later instant; see `twinlab.simulate.Model`.

        Raises
        ------
        SchemaError
            If the state is one of another model, or ``until`` isn't after its time.
        """
        grid = self._grid(state, until, step)
        start = nanoseconds(state["start"].values)
        arrays, cells, rows = self._run(
            from_dataset(state), grid, self._present(state), traced_rows=TRACED_ROWS if trace else 0
        )
        arrived = np.asarray(arrays.numbers.sum() - state["numbers"].values.sum(), np.float64)
        results = self._results(grid, cells, arrived)
        last = grid.pieces[-1].model
        names = last.compiled[1]
        scalars = {name: state[name].values for name in ("start", "seed", "replication")}
        later = xr.Dataset({**scalars, "time": nanoseconds(until), **to_variables(arrays, names)})
        later = self._own(later.assign(started=state["started"]) if "started" in state else later, last)
        events: Mapping[str, pd.DataFrame] = {}
        if trace:
            events = event_tables(np.concatenate(rows), names, start=start, entities=started_names(state))
        return Advanced(later, results, events)

    def advance_many(
        self, state: xr.Dataset, *, replications: Sequence[int], until: np.datetime64, step: np.timedelta64
    ) -> xr.Dataset:
        """Return the results of several forks of a state, with a first dim ``replication``."""
        grid = self._grid(state, until, step)
        before, present = from_dataset(state), self._present(state)
        found, arrived, size = [], [], 0
        for replication in replications:
            fork = copied(before, seed=int(state["seed"]), replication=replication)
            fork = enlarged(fork, at_least=size) if size > fork.entities.size else fork
            after, cells, _ = self._run(fork, grid, present)
            found.append(cells)
            arrived.append(after.numbers.sum() - before.numbers.sum())
            size = after.entities.size
        return self._results(grid, stacked_cells(found), np.array(arrived, np.float64), replications=replications)

    def _results(
        self,
        grid: _Grid,
        cells: Cells,
        arrived: Any,  # noqa: ANN401  (an array of any number of dims)
        *,
        replications: Sequence[int] | None = None,
    ) -> xr.Dataset:
        model = grid.pieces[0].model
        return labelled(
            cells,
            arrived,
            model.energy,
            names=model.compiled[1],
            times=grid.times,
            widths=grid.widths,
            replications=replications,
        )

    def _run(
        self, state: State, grid: _Grid, present: NetworkModel, *, traced_rows: int = 0
    ) -> tuple[State, Cells, list[npt.NDArray[Any]]]:
        """Run piece after piece; what happened in a cell is the sum over the pieces of it."""
        cells = empty_cells((grid.times.size,), present.compiled[1])
        rows = []
        for piece in grid.pieces:
            changes = piece.model is not present and state.counts[BEGUN]
            state, out = piece.model.run_span(
                state, piece.span, traced_rows=traced_rows, coming_from=present if changes else None
            )
            add_cells(cells, Cells(out.node_cells, out.transporter_cells, out.climate_cells), piece.first)
            rows.append(out.trace[: int(out.place[2])])
            present = piece.model
        return state, cells, rows

    def _grid(self, state: xr.Dataset, until: Any, step: Any) -> _Grid:  # noqa: ANN401
        if state.attrs.get("model_hash") != self.content_hash():
            msg = (
                f"the state is one of the model {state.attrs.get('model')!r} with hash {state.attrs.get('model_hash')!r}; "
                f"expected {self.name!r} with hash {self.content_hash()!r}"
            )
            raise SchemaError(msg)
        start, now, stop = (nanoseconds(time) for time in (state["start"].values, state["time"].values, until))
        whole = span_of(self._present(state).network, self._present(state).compiled[1], start, now, stop, step)
        width = np.timedelta64(step, "ns")
        pieces = []
        for part in self._parts(start, stop):
            first, last = max(part[0], now), min(part[1], stop)
            # A part that begins within a cell begins with the rest of that cell.
            cell = int((first - now) // width)
            edge = min(now + (cell + 1) * width, last) if first > now + cell * width else first
            for begin, end in ((first, edge), (edge, last)):
                if begin < end:
                    span = span_of(part[2].network, part[2].compiled[1], start, begin, end, step)
                    pieces.append(_Piece(part[2], span, int((begin - now) // width)))
        return _Grid(whole.times, whole.widths, tuple(pieces))

    def _parts(self, start: Any, stop: Any) -> list[tuple[Any, Any, NetworkModel]]:  # noqa: ANN401
        assert self.scenario.base is not None
        parts = parts_of(self.scenario.changes, self.scenario.base, (start, stop))
        return [(part.start, part.stop, self._model(NetworkModel(part.network))) for part in parts]

    def _model(self, model: NetworkModel) -> NetworkModel:
        return self._models.setdefault(model.content_hash(), model)

    def _model_at(self, start: Any, time: Any) -> NetworkModel:  # noqa: ANN401
        """Return the model of the network at an instant of a run."""
        return self._parts(start, time + SECOND)[-1][2]

    def _present(self, state: xr.Dataset) -> NetworkModel:
        """Return the model of the network of which a state is; it is that before the state's time, or at its start."""
        known = state.attrs["network_hash"]
        if known not in self._models:
            self._parts(nanoseconds(state["start"].values), nanoseconds(state["time"].values) + SECOND)
        return self._models[known]

    def _own(self, state: xr.Dataset, model: NetworkModel) -> xr.Dataset:
        """Return a state as one of this model, which states the network that it has at present."""
        attrs = {"model": self.name, "model_hash": self.content_hash(), "network_hash": model.content_hash()}
        return state.assign_attrs(attrs)
