"""What one task computes: the results of some replications of one model, and what they cost."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.simulate.protocol import BatchModel, Model
from twinlab.simulate.runs.digests import replication_digests
from twinlab.simulate.states.forks import fork

__all__ = ["LEAST_SECONDS", "Job", "Piece", "advance_chunk", "probe"]

#: Seconds of work below which a task isn't worth its overhead.
LEAST_SECONDS = 0.05
#: Models that this process has advanced once, so that their kernels are compiled.
_WARM: set[tuple[str, str]] = set()


@dataclass(frozen=True)
class Job:
    """A model, and the span that each of its replications runs through.

    Parameters
    ----------
    scenario : str
        Name of the scenario.
    model : Model
    state : Dataset
        State at the start; each replication begins with a fork of it.
    until : datetime64
        End of the span, UTC, exclusive.
    step : timedelta64
        Width of the cells of the results' time.
    trace : int
        Replications with a smaller number return their events, too.
    """

    scenario: str
    model: Model
    state: xr.Dataset
    until: np.datetime64
    step: np.timedelta64
    trace: int = 0


@dataclass(frozen=True)
class Piece:
    """Results of replications ``first``, ``first + 1``, … of a scenario.

    Parameters
    ----------
    scenario : str
    first : int
    data : Dataset
        Every variable has the first dim ``replication``.
    events : mapping of int to mapping of str to DataFrame
        Event tables by replication and event type.
    digests : tuple of str
        A digest of the results of each replication.
    cpu, wall : float
        Seconds of processor and of clock that the replications took.
    warm_up : float
        Seconds of processor that compiling and loading took before.
    samples : tuple of (int, float)
        Replications and seconds of processor of each part that was timed on its own.
    """

    scenario: str
    first: int
    data: xr.Dataset
    events: Mapping[int, Mapping[str, pd.DataFrame]]
    digests: tuple[str, ...]
    cpu: float
    wall: float
    warm_up: float = 0.0
    samples: tuple[tuple[int, float], ...] = field(default=())

    @property
    def count(self) -> int:
        """Number of replications."""
        return len(self.digests)


def advance_chunk(job: Job, first: int, count: int) -> Piece:
    """Return the results of some replications; the same ones whichever chunk they're computed in."""
    warm_up = _warm_up(job)
    cpu, wall = time.thread_time(), time.perf_counter()
    data, events = _advance(job, range(first, first + count))
    cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
    digests = replication_digests(data)
    return Piece(job.scenario, first, data, events, digests, cpu, wall, warm_up, ((count, cpu),))


def probe(job: Job, most: int) -> Piece:
    """Return replications 0, 1, … of a job that has none yet: 1, 2, 4, …, until they amount to a chunk, or ``most``.

    The number of replications is a power of two, or ``most``.
    """
    pieces = [advance_chunk(job, 0, 1)]
    done = 1
    while done < most and sum(piece.wall for piece in pieces) < LEAST_SECONDS:
        pieces.append(advance_chunk(job, done, min(done, most - done)))
        done += pieces[-1].count
    return Piece(
        job.scenario,
        0,
        join([piece.data for piece in pieces]),
        {number: tables for piece in pieces for number, tables in piece.events.items()},
        tuple(digest for piece in pieces for digest in piece.digests),
        math.fsum(piece.cpu for piece in pieces),
        math.fsum(piece.wall for piece in pieces),
        math.fsum(piece.warm_up for piece in pieces),
        tuple(sample for piece in pieces for sample in piece.samples),
    )


def kpis_of(data: xr.Dataset) -> xr.Dataset:
    """Return the variables that have one value for each replication."""
    return data.drop_vars([name for name, one in data.variables.items() if not set(one.dims) <= {"replication"}])


def join(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return results of several replications as one Dataset; they differ in the values of variables only."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    for part in parts[1:]:
        if (
            set(part.data_vars) != set(first.data_vars)
            or part.drop_dims("replication").sizes != first.drop_dims("replication").sizes
        ):
            msg = (
                f"expected the same variables and shapes from every replication, got {dict(first.sizes)} with "
                f"{sorted(map(str, first.data_vars))} and {dict(part.sizes)} with {sorted(map(str, part.data_vars))}; correct the model"
            )
            raise SchemaError(msg)
    return xr.concat(
        parts,
        "replication",
        data_vars="all",
        coords="minimal",
        compat="override",
        join="override",
        combine_attrs="override",
    )


def _warm_up(job: Job) -> float:
    """Compile and load what the model needs by a short call, so that times are those of the work."""
    key = (type(job.model).__qualname__, job.model.content_hash())
    if key in _WARM:
        return 0.0
    cpu = time.thread_time()
    until = min(job.until, instant(job.state) + job.step)
    _forks(job, range(1), until)
    _WARM.add(key)
    return time.thread_time() - cpu


def _advance(job: Job, numbers: range) -> tuple[xr.Dataset, dict[int, Mapping[str, pd.DataFrame]]]:
    traced = range(numbers.start, max(numbers.start, min(numbers.stop, job.trace)))
    parts, events = [], {}
    for number in traced:
        advanced = job.model.advance(fork(job.state, replication=number), until=job.until, step=job.step, trace=True)
        parts.append(_numbered(advanced.results, number))
        events[number] = advanced.events
    rest = range(traced.stop, numbers.stop)
    if rest:
        parts.append(_forks(job, rest, job.until))
    return join(parts), events


def _forks(job: Job, numbers: range, until: np.datetime64) -> xr.Dataset:
    if isinstance(job.model, BatchModel):
        found = job.model.advance_many(job.state, replications=numbers, until=until, step=job.step)
        return found.transpose("replication", ...).assign_coords(replication=np.asarray(numbers, dtype="int64"))
    return join(
        [
            _numbered(job.model.advance(fork(job.state, replication=n), until=until, step=job.step).results, n)
            for n in numbers
        ]
    )


def instant(state: xr.Dataset) -> np.datetime64:
    """Return the time of a state."""
    return np.datetime64(int(state["time"].to_numpy().astype("datetime64[ns]").astype("int64")), "ns")


def _numbered(results: xr.Dataset, number: int) -> xr.Dataset:
    if "replication" in results.variables and "replication" not in results.dims:
        results = results.drop_vars("replication")
    variables = {name: one.variable.expand_dims("replication") for name, one in results.data_vars.items()}
    coords = {**results.coords, "replication": np.array([number], dtype="int64")}
    return xr.Dataset(variables, coords, results.attrs)
