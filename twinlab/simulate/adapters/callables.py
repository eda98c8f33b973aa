"""Python functions as models: of a whole run, or of one step with a state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from twinlab.errors import SchemaError
from twinlab.model.basics import parse_duration
from twinlab.simulate.adapters import streams
from twinlab.simulate.adapters.outputs import Output, Outputs
from twinlab.simulate.adapters.state import Span, checked_span, code_hash, scalars
from twinlab.simulate.protocol import Advanced, Model

__all__ = ["from_callable"]

Found = Mapping[str, ArrayLike]


def from_callable(
    function: Callable[..., Found],
    *,
    signals: Mapping[str, Output | str] | None = None,
    kpis: Mapping[str, Output | str] | None = None,
    initial: Mapping[str, ArrayLike] | None = None,
    tick: str | None = None,
    parameters: Mapping[str, object] | None = None,
    name: str | None = None,
    version: str = "",
) -> Model:
    """Make a model of a Python function.

    Parameters
    ----------
    function : callable
        Without ``initial``, a whole run: ``function(rng, edges, **parameters)`` returns a mapping of signals, one value per cell, and
        KPIs. ``edges`` are float64 seconds since the start, one more than cells. The model has no state but its past: when a run is
        continued, the function is called again for all of it, so that it must return the same past for a longer run. Such a
        model can't be forked after its start.

        With ``initial``, one step: ``function(values, rng, elapsed, seconds, **parameters)`` changes the dict ``values`` from
        ``elapsed`` seconds after the start to ``seconds`` later, and returns a mapping of outputs. The values and the state of the
        random numbers are the model's state. A signal's value in a cell is its mean over the steps; a KPI's is that of the last step.
    signals, kpis : mapping of str to Output or str
        Outputs by name, with their units. At least one.
    initial : mapping of str to number or array, optional
        Values at the start.
    tick : str, optional
        With ``initial``: length of a step, such as ``"1min"``.
    parameters : mapping, optional
        Passed to the function as keywords.
    name : str, optional
        Name of the model; by default that of the function.
    version : str
        Part of the model's hash. The function's own source and the parameters are, too; change the version when something
        changes that the function calls.

    Raises
    ------
    SchemaError
        If no output is declared, or ``initial`` and ``tick`` don't come together.

    >>> def arrivals(rng, edges, rate):
    ...     times = np.cumsum(rng.exponential(3600 / rate, int(rate * edges[-1] / 3600 * 2 + 50)))
    ...     return {"arrivals": np.histogram(times, edges)[0], "total": (times < edges[-1]).sum()}
    >>> model = from_callable(arrivals, signals={"arrivals": "1"}, kpis={"total": "1"}, parameters={"rate": 60})
    >>> state = model.initial_state(start=np.datetime64("2026-01-01"), seed=1)
    >>> done = model.advance(state, until=np.datetime64("2026-01-01T04"), step=np.timedelta64(1, "h"))
    >>> done.results["arrivals"].sum().item() == done.results["total"].item()
    True
    """
    if (initial is None) != (tick is None):
        msg = "expected initial= and tick= together (one step), or neither (a whole run)"
        raise SchemaError(msg)
    called = name or str(getattr(function, "__name__", type(function).__name__))
    outputs = Outputs.of(signals, kpis, method="mean")
    given = dict(parameters or {})
    if initial is None or tick is None:
        return _WholeRun(called, function, outputs, given, version)
    values = {key: np.asarray(value) for key, value in initial.items()}
    taken = set(values) & {"start", "time", "seed", "replication"} | {
        key for key in values if key.startswith("random_")
    }
    if taken:
        msg = f"expected names for the values that a state doesn't use itself, got {', '.join(sorted(taken))}"
        raise SchemaError(msg)
    return _Stepped(called, function, outputs, given, version, values, parse_duration(tick))


@dataclass(frozen=True)
class _WholeRun:
    name: str
    function: Callable[..., Found]
    outputs: Outputs
    parameters: dict[str, object]
    version: str

    def content_hash(self) -> str:
        return self._hash

    @cached_property
    def _hash(self) -> str:
        return code_hash(
            self.function, parameters=self.parameters, version=self.version, outputs=self.outputs, kind="whole run"
        )

    def initial_state(self, *, start: np.datetime64, seed: int = 0, replication: int = 0) -> xr.Dataset:
        variables = scalars(start=start, seed=seed, replication=replication)
        # What the past was simulated with: a fork after the start can't be repeated.
        variables["past_seed"], variables["past_replication"] = np.int64(seed), np.int64(replication)
        return xr.Dataset(variables, attrs={"model": self.name, "model_hash": self._hash})

    def advance(
        self, state: xr.Dataset, *, until: np.datetime64, step: np.timedelta64, trace: bool = False
    ) -> Advanced:
        del trace  # functions have no events
        span = checked_span(state, name=self.name, model_hash=self._hash, until=until, step=step)
        past = int(state["past_seed"]), int(state["past_replication"])
        if span.begin > span.start and past != (span.seed, span.replication):
            msg = (
                f"{self.name}: a function of a whole run can't be forked after its start, because it has no state; fork the "
                "initial state, or give the function a state (initial=)"
            )
            raise SchemaError(msg)
        before = _cells_before(span, step)
        edges = np.concatenate([before, span.times, [span.until]])
        rng = streams.generator(span.seed, span.replication)
        signals, kpis = self.outputs.split(self.function(rng, span.seconds(edges), **self.parameters))
        here = {key: np.asarray(values)[len(before) :] for key, values in signals.items()}
        past_now = {"past_seed": np.int64(span.seed), "past_replication": np.int64(span.replication)}
        later = state.assign(past_now | {"time": span.until})
        return Advanced(later, self.outputs.dataset(span.times, here, kpis))


def _cells_before(span: Span, step: np.timedelta64) -> Any:  # noqa: ANN401  (an array of datetime64)
    width = np.timedelta64(step, "ns")
    if (span.begin - span.start) % width != np.timedelta64(0, "ns"):
        msg = (
            f"expected the state's time {span.begin} to be a whole number of steps ({width}) after its start {span.start}, "
            "so that the function can be called for the same cells again"
        )
        raise SchemaError(msg)
    return np.arange(span.start, span.begin, width)


@dataclass(frozen=True)
class _Stepped:
    name: str
    function: Callable[..., Found]
    outputs: Outputs
    parameters: dict[str, object]
    version: str
    initial: dict[str, Any]
    tick_ns: int

    def content_hash(self) -> str:
        return self._hash

    @cached_property
    def _hash(self) -> str:
        more = {"outputs": self.outputs, "kind": "steps", "initial": self.initial, "tick": self.tick_ns}
        return code_hash(self.function, parameters=self.parameters, version=self.version, **more)

    def initial_state(self, *, start: np.datetime64, seed: int = 0, replication: int = 0) -> xr.Dataset:
        variables = scalars(start=start, seed=seed, replication=replication)
        variables |= {key: _variable(key, value) for key, value in self.initial.items()}
        variables |= streams.saved(streams.generator(seed, replication))
        return xr.Dataset(variables, attrs={"model": self.name, "model_hash": self._hash})

    def advance(
        self, state: xr.Dataset, *, until: np.datetime64, step: np.timedelta64, trace: bool = False
    ) -> Advanced:
        del trace  # functions have no events
        span = checked_span(state, name=self.name, model_hash=self._hash, until=until, step=step)
        width, tick = int(np.timedelta64(step, "ns").astype(np.int64)), self.tick_ns
        total = int((span.until - span.begin).astype(np.int64))
        if width % tick or total % tick:
            msg = f"{self.name}: expected a step and a span of whole ticks of {tick / 1e9:g} s, got {width / 1e9:g} s and {total / 1e9:g} s"
            raise SchemaError(msg)
        rng = streams.restored(state)
        if not streams.belongs_to(rng, span.seed, span.replication):
            streams.restart(rng, span.seed, span.replication)  # the state was forked
        values: dict[str, Any] = {key: state[key].values.copy() for key in self.initial}
        begin, per_cell = int((span.begin - span.start).astype(np.int64)), width // tick
        cells: dict[str, list[Any]] = {key: [] for key in self.outputs.signals}
        kpis: dict[str, ArrayLike] = {}
        for number in range(total // tick):
            elapsed = (begin + number * tick) / 1e9
            found = self.function(values, rng, elapsed, tick / 1e9, **self.parameters)
            signals, kpis = self.outputs.split(found)
            for key, value in signals.items():
                cells[key].append(np.asarray(value, dtype=np.float64))
        means = {key: _means(rows, per_cell, total // tick) for key, rows in cells.items() if rows}
        later = state.assign(
            {key: _variable(key, values[key]) for key in self.initial} | streams.saved(rng) | {"time": span.until}
        )
        return Advanced(later, self.outputs.dataset(span.times, means, kpis))


def _variable(name: str, value: ArrayLike) -> xr.Variable:
    array = np.array(value)
    return xr.Variable([f"{name}_{axis}" for axis in range(array.ndim)], array)


def _means(rows: list[Any], per_cell: int, ticks: int) -> Any:  # noqa: ANN401  (an array, by time and asset)
    if len(rows) != ticks:
        msg = f"expected the function to return each signal at each of {ticks} steps, got one at {len(rows)} of them"
        raise SchemaError(msg)
    return np.array([np.mean(rows[at : at + per_cell], axis=0) for at in range(0, ticks, per_cell)])
