"""FMUs for co-simulation (FMI 2.0) as models."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from twinlab.errors import SchemaError, SourceError, UnknownTermError
from twinlab.model.basics import parse_duration
from twinlab.model.terms import nearest
from twinlab.simulate.adapters.outputs import Output, Outputs
from twinlab.simulate.adapters.replay import Live, Replayed
from twinlab.simulate.adapters.state import Span, checked_span, scalars
from twinlab.simulate.protocol import Advanced, Model

__all__ = ["from_fmu"]

_KINDS = ("Real", "Integer", "Boolean")


def from_fmu(
    path: str | Path,
    *,
    tick: str,
    signals: Sequence[str] | Mapping[str, Output | str] | None = None,
    kpis: Mapping[str, Output | str] | None = None,
    parameters: Mapping[str, float] | None = None,
    seed_parameter: str | None = None,
    name: str | None = None,
) -> Model:
    """Make a model of an FMU for co-simulation, FMI 2.0.

    Where the FMU can serialise its state, the state contains its bytes. Where it can't, the state is the past (start, seed,
    replications), and `advance` simulates it again: exact, but as slow as the past was long.

    Parameters
    ----------
    path : path
        The ``.fmu`` file.
    tick : str
        Communication step, such as ``"10s"``. Spans and steps are whole multiples of it.
    signals : sequence of str, or mapping of str to Output or str, optional
        Variables of the FMU that are signals; by default all its outputs that are real numbers. A mapping states their units;
        otherwise they are those that the FMU states, or ``"unknown"``. A signal's value is that at the start of its cell.
    kpis : mapping of str to Output or str, optional
        Variables of the FMU whose value at the end is a KPI.
    parameters : mapping of str to float, optional
        Values of the FMU's variables before it is initialised.
    seed_parameter : str, optional
        An integer parameter of the FMU that decides its random numbers. It is set to a number that (seed, replication) decide.
        Without it, all replications are equal.
    name : str, optional
        Name of the model; by default the FMU's.

    Raises
    ------
    ImportError
        If FMPy isn't installed.
    SourceError
        If the file can't be read as an FMU.
    SchemaError
        If it isn't an FMU for co-simulation of FMI 2.0.
    UnknownTermError
        If it has no such variable.
    """
    if importlib.util.find_spec("fmpy") is None:
        msg = 'expected the package fmpy, which isn\'t installed; run: pip install "twinlab-kit[fmu]"'
        raise ImportError(msg)
    import fmpy  # noqa: PLC0415  (loaded with the first FMU)

    file = Path(path)
    try:
        description: Any = fmpy.read_model_description(str(file))
    except Exception as error:
        msg = f"{file}: expected an FMU, which can't be read: {error}"
        raise SourceError(msg) from error
    if description.fmiVersion != "2.0" or description.coSimulation is None:
        msg = f"{file}: expected an FMU for co-simulation of FMI 2.0, got one of FMI {description.fmiVersion} " + (
            "without co-simulation" if description.coSimulation is None else "for co-simulation"
        )
        raise SchemaError(msg)
    fmu = _Fmu(file, description, dict(parameters or {}), seed_parameter, parse_duration(tick))
    outputs = Outputs.of(fmu.declared(signals), fmu.declared(kpis or {}), method="point")
    fmu.check_names([*outputs.signals, *outputs.kpis, *fmu.parameters, *([seed_parameter] if seed_parameter else [])])
    called = name or str(description.modelName)
    able = description.coSimulation.canGetAndSetFMUstate and description.coSimulation.canSerializeFMUstate
    return _Saving(called, fmu, outputs) if able else _Repeating(called, fmu, outputs)


class _Fmu:
    """The file, its description, and instances of it."""

    def __init__(
        self,
        path: Path,
        description: Any,  # noqa: ANN401  (of FMPy, which has no types)
        parameters: dict[str, float],
        seed_parameter: str | None,
        tick_ns: int,
    ) -> None:
        self.path = path
        self.description = description
        self.parameters = parameters
        self.seed_parameter = seed_parameter
        self.tick_ns = tick_ns
        self._folder: str | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_folder": None}

    def declared(self, names: Sequence[str] | Mapping[str, Output | str] | None) -> dict[str, Output | str]:
        """Return outputs by name, with the FMU's units where none are stated."""
        if isinstance(names, Mapping):
            return dict(names)
        if names is None:
            names = [
                name for name, each in self._variables.items() if each.causality == "output" and each.type == "Real"
            ]
        self.check_names(names)
        return {name: Output(self._unit(name), self._variables[name].description or "") for name in names}

    def check_names(self, names: Sequence[str]) -> None:
        """Check that the FMU has variables, of a type that is a number.

        Raises
        ------
        UnknownTermError
            If it hasn't.
        SchemaError
            If a variable isn't a number.
        """
        for name in names:
            if name not in self._variables:
                msg = f"{self.path}: expected the name of a variable, got {name!r}{nearest(name, self._variables)}"
                raise UnknownTermError(msg)
            if self._variables[name].type not in _KINDS:
                msg = f"{self.path}: expected a variable that is a number, got {name!r} ({self._variables[name].type})"
                raise SchemaError(msg)

    def content_hash(self, outputs: Outputs) -> str:
        """Return a hash of the file's bytes and of what decides how it is run."""
        found = hashlib.sha256(self.path.read_bytes())
        more = [self.parameters, self.seed_parameter, self.tick_ns, asdict(outputs)]
        found.update(json.dumps(more, sort_keys=True, default=str).encode())
        return found.hexdigest()

    def ticks(self, span: Span, step: np.timedelta64) -> None:
        """Check that a span and its cells are whole ticks.

        Raises
        ------
        SchemaError
            If they aren't.
        """
        width, total = (int(np.timedelta64(each, "ns").astype(np.int64)) for each in (step, span.until - span.begin))
        if width % self.tick_ns or total % self.tick_ns:
            msg = (
                f"{self.path}: expected a step and a span of whole ticks of {self.tick_ns / 1e9:g} s, got "
                f"{width / 1e9:g} s and {total / 1e9:g} s"
            )
            raise SchemaError(msg)

    def running(self, outputs: Outputs, *, seed: int, replication: int) -> _Running:
        """Return an initialised instance."""
        import fmpy  # noqa: PLC0415  (loaded with the first FMU)

        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="twinlab-fmu-")
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            fmpy.extract(str(self.path), self._folder)
        made = fmpy.instantiate_fmu(self._folder, self.description, "CoSimulation")
        values = dict(self.parameters)
        if self.seed_parameter is not None:
            drawn = np.random.SeedSequence([seed & 2**64 - 1, replication]).generate_state(1)[0]
            values[self.seed_parameter] = int(drawn) & 2**31 - 1
        for name, value in values.items():
            kind, cast = self._variables[name].type, {"Real": float, "Integer": int, "Boolean": bool}
            getattr(made, f"set{kind}")([self._variables[name].valueReference], [cast[kind](value)])
        made.setupExperiment(startTime=0.0)
        made.enterInitializationMode()
        made.exitInitializationMode()
        return _Running(made, self._variables, outputs, self.tick_ns)

    def _unit(self, name: str) -> str:
        variable = self._variables[name]
        return variable.unit or getattr(variable.declaredType, "unit", None) or "unknown"

    @property
    def _variables(self) -> dict[str, Any]:
        return {each.name: each for each in self.description.modelVariables}


class _Running(Live):
    """One instance; ``ticks`` counts the communication steps done."""

    def __init__(self, made: Any, variables: Mapping[str, Any], outputs: Outputs, tick_ns: int) -> None:  # noqa: ANN401  (of FMPy)
        self.made = made
        self.ticks = 0
        self._variables = variables
        self._outputs = outputs
        self._tick_ns = tick_ns

    def advance_to(self, seconds: float) -> None:
        while self.ticks < round(seconds * 1e9 / self._tick_ns):
            self.made.doStep(self.ticks * self._tick_ns / 1e9, self._tick_ns / 1e9)
            self.ticks += 1

    def signals(self) -> Mapping[str, ArrayLike]:
        return {name: self._value(name) for name in self._outputs.signals}

    def kpis(self) -> Mapping[str, ArrayLike]:
        return {name: self._value(name) for name in self._outputs.kpis}

    def close(self) -> None:
        self.made.terminate()
        self.made.freeInstance()

    def _value(self, name: str) -> float:
        variable = self._variables[name]
        return float(getattr(self.made, f"get{variable.type}")([variable.valueReference])[0])


class _Repeating(Replayed):
    """An FMU that can't serialise its state."""

    def __init__(self, name: str, fmu: _Fmu, outputs: Outputs) -> None:
        super().__init__()
        self.name, self.outputs, self._fmu = name, outputs, fmu

    def content_hash(self) -> str:
        return self._hash

    @cached_property
    def _hash(self) -> str:
        return self._fmu.content_hash(self.outputs)

    def advance(
        self, state: xr.Dataset, *, until: np.datetime64, step: np.timedelta64, trace: bool = False
    ) -> Advanced:
        span = checked_span(state, name=self.name, model_hash=self._hash, until=until, step=step)
        self._fmu.ticks(span, step)
        if state.sizes["past"]:
            last = state.isel(past=-1)
            _check_fork(self.name, self._fmu, span, (int(last["past_seed"]), int(last["past_replication"])))
        return super().advance(state, until=until, step=step, trace=trace)

    def _begin(self, rng: np.random.Generator, start: np.datetime64, seed: int, replication: int) -> Live:
        del rng, start
        return self._fmu.running(self.outputs, seed=seed, replication=replication)


class _Saving:
    """An FMU that can serialise its state."""

    def __init__(self, name: str, fmu: _Fmu, outputs: Outputs) -> None:
        self.name = name
        self._fmu = fmu
        self._outputs = outputs

    def content_hash(self) -> str:
        return self._hash

    @cached_property
    def _hash(self) -> str:
        return self._fmu.content_hash(self._outputs)

    def initial_state(self, *, start: np.datetime64, seed: int = 0, replication: int = 0) -> xr.Dataset:
        running = self._fmu.running(self._outputs, seed=seed, replication=replication)
        variables = scalars(start=start, seed=seed, replication=replication) | self._saved(running, seed, replication)
        running.close()
        return xr.Dataset(variables, attrs={"model": self.name, "model_hash": self._hash})

    def advance(
        self, state: xr.Dataset, *, until: np.datetime64, step: np.timedelta64, trace: bool = False
    ) -> Advanced:
        del trace  # an FMU has no events
        span = checked_span(state, name=self.name, model_hash=self._hash, until=until, step=step)
        self._fmu.ticks(span, step)
        if span.begin > span.start:
            _check_fork(self.name, self._fmu, span, (int(state["fmu_seed"]), int(state["fmu_replication"])))
        running = self._fmu.running(self._outputs, seed=span.seed, replication=span.replication)
        try:
            if span.begin > span.start:
                pointer = running.made.deserializeFMUState(state["fmu_state"].values.astype(np.uint8).tobytes())
                running.made.setFMUState(pointer)
                running.made.freeFMUState(pointer)
                running.ticks = int((span.begin - span.start).astype(np.int64)) // self._fmu.tick_ns
            rows: dict[str, list[ArrayLike]] = {key: [] for key in self._outputs.signals}
            for instant in span.seconds(span.times):
                running.advance_to(float(instant))
                for key, value in running.signals().items():
                    rows[key].append(value)
            running.advance_to(float(span.seconds(span.until)))
            results = self._outputs.dataset(
                span.times, {key: np.array(values) for key, values in rows.items()}, running.kpis()
            )
            saved = self._saved(running, span.seed, span.replication)
        finally:
            running.close()
        later = state.drop_vars(["fmu_state"]).assign(saved | {"time": span.until})
        return Advanced(later, results)

    @staticmethod
    def _saved(running: _Running, seed: int, replication: int) -> dict[str, Any]:
        pointer = running.made.getFMUState()
        content = running.made.serializeFMUState(pointer)
        running.made.freeFMUState(pointer)
        values = np.frombuffer(bytes(content), dtype=np.uint8)
        return {
            "fmu_state": xr.Variable("fmu_byte", values),
            "fmu_seed": np.int64(seed),
            "fmu_replication": np.int64(replication),
        }


def _check_fork(name: str, fmu: _Fmu, span: Span, past: tuple[int, int]) -> None:
    if fmu.seed_parameter is not None and past != (span.seed, span.replication):
        msg = (
            f"{name}: an FMU's random numbers are decided at its start, by {fmu.seed_parameter!r}; fork the initial state, not "
            f"one at {span.begin}"
        )
        raise SchemaError(msg)
