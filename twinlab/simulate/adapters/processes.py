"""SimPy processes as models."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from twinlab.errors import SchemaError
from twinlab.simulate.adapters.outputs import Output, Outputs
from twinlab.simulate.adapters.replay import Live, Replayed
from twinlab.simulate.adapters.state import code_hash
from twinlab.simulate.protocol import Model

if TYPE_CHECKING:
    import simpy

__all__ = ["from_simpy"]

Probes = Mapping[str, Callable[[], ArrayLike]]


def from_simpy(
    build: Callable[..., Probes],
    *,
    signals: Mapping[str, Output | str] | None = None,
    kpis: Mapping[str, Output | str] | None = None,
    parameters: Mapping[str, object] | None = None,
    name: str | None = None,
    version: str = "",
) -> Model:
    """Make a model of SimPy processes.

    SimPy can't save a running process, because a Python generator can't be copied. The model's state is therefore the past:
    start, seed, and the replication of each span until now; `advance` runs the processes again from the start, with the same random
    numbers, and continues. A state is small and exact, also after forks and in another process, but continuing from it takes as
    long as its past took. Only the state that this model object made last is continued without repeating.

    Parameters
    ----------
    build : callable
        ``build(env, rng, **parameters)`` starts the processes in a ``simpy.Environment``, whose time is in seconds since the start, and
        returns for each output a function without arguments that returns its present value. ``rng`` is the only permitted source of random
        numbers. The functions must not change anything nor draw from ``rng``.
    signals, kpis : mapping of str to Output or str
        Outputs by name, with their units. A signal's value is that at the start of its cell; a KPI is from the start of the run on.
    parameters : mapping, optional
        Passed to ``build`` as keywords.
    name : str, optional
        Name of the model; by default that of ``build``.
    version : str
        Part of the model's hash. The source of ``build`` and the parameters are, too; change the version when something changes that
        ``build`` calls.

    Raises
    ------
    ImportError
        If SimPy isn't installed.
    SchemaError
        If no output is declared.

    >>> def queue(env, rng, rate):
    ...     waiting = []
    ...     def arrive():
    ...         while True:
    ...             yield env.timeout(rng.exponential(1 / rate))
    ...             waiting.append(env.now)
    ...     env.process(arrive())
    ...     return {"waiting": lambda: len(waiting)}
    >>> model = from_simpy(queue, signals={"waiting": "1"}, parameters={"rate": 0.01})    # doctest: +SKIP
    """
    _environment()
    called = name or str(getattr(build, "__name__", type(build).__name__))
    return _Processes(called, build, Outputs.of(signals, kpis, method="point"), dict(parameters or {}), version)


@lru_cache(maxsize=1)
def _environment() -> type[simpy.Environment]:
    if importlib.util.find_spec("simpy") is None:
        msg = 'expected the package simpy, which isn\'t installed; run: pip install "twinlab-kit[simpy]"'
        raise ImportError(msg)
    import simpy  # noqa: PLC0415  (loaded with the first model of SimPy processes)

    class Environment(simpy.Environment):
        """An environment that stops before an instant without an event of its own.

        ``run(until=…)`` schedules an event to stop at, whose time is rounded: whether an event at the same instant comes first
        would depend on where a run was interrupted.
        """

        def stop_before(self, instant: float) -> None:
            while self.peek() < instant:
                self.step()
            self._now = instant

    return Environment


class _Processes(Replayed):
    def __init__(
        self,
        name: str,
        build: Callable[..., Probes],
        outputs: Outputs,
        parameters: dict[str, object],
        version: str,
    ) -> None:
        super().__init__()
        self.name = name
        self.outputs = outputs
        self._build = build
        self._parameters = parameters
        self._version = version

    def content_hash(self) -> str:
        return self._hash

    @cached_property
    def _hash(self) -> str:
        return code_hash(
            self._build, parameters=self._parameters, version=self._version, outputs=self.outputs, kind="SimPy"
        )

    def _begin(self, rng: np.random.Generator, start: np.datetime64, seed: int, replication: int) -> Live:
        del start, seed, replication  # the random numbers have the latter two
        env = _environment()()
        probes: Any = self._build(env, rng, **self._parameters)
        if not isinstance(probes, Mapping) or not all(callable(probe) for probe in probes.values()):
            msg = f"{self.name}: expected build to return a function for each output, got {type(probes).__name__}"
            raise SchemaError(msg)
        self.outputs.split(dict.fromkeys(probes, 0.0))
        return _Running(env, probes, self.outputs)


class _Running(Live):
    def __init__(self, env: Any, probes: Probes, outputs: Outputs) -> None:  # noqa: ANN401  (of a package that may be absent)
        self._env = env
        self._probes = probes
        self._outputs = outputs

    def advance_to(self, seconds: float) -> None:
        self._env.stop_before(seconds)

    def signals(self) -> Mapping[str, ArrayLike]:
        return {name: self._probes[name]() for name in self._outputs.signals if name in self._probes}

    def kpis(self) -> Mapping[str, ArrayLike]:
        return {name: self._probes[name]() for name in self._outputs.kpis if name in self._probes}
