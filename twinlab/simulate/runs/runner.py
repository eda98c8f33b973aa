"""Replications on demand, for experiments that ask for more as they go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import xarray as xr

from twinlab._cores import cores
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.simulate.experiments.replications import Run
from twinlab.simulate.protocol import Model
from twinlab.simulate.runs.chunks import Job, advance_chunk, join
from twinlab.simulate.runs.identity import jobs_of, named_models

__all__ = ["runner"]


def runner(
    models: Model | Mapping[str, Model] | list[Model],
    *,
    start: Any = None,  # noqa: ANN401  (what pandas reads as a time)
    state: xr.Dataset | Mapping[str, xr.Dataset] | None = None,
    horizon: Any,  # noqa: ANN401  (what pandas reads as a duration)
    step: Any = None,  # noqa: ANN401
    seed: int | None = None,
    workers: int | None = None,
) -> Run:
    """Return a function that simulates the replications that it is asked for: what `decide` and `select_best` take.

    All scenarios get the same random numbers (common random numbers). Only KPIs are kept, so that memory doesn't grow with the
    signals; `run` with the same arguments returns the same replications with everything.

    Parameters
    ----------
    models, start, state, horizon, seed
        As `run`.
    step : timedelta-like, optional
        Width of the cells of signals; by default the horizon, because signals aren't kept.
    workers : int, optional
        Number of threads; by default one per core.

    Returns
    -------
    callable
        ``run(scenario_names, replications) -> Dataset`` with dims ``scenario, replication``.

    Raises
    ------
    SchemaError
        If a model, a time or another argument isn't what is expected, or a model has no KPI.

    >>> from twinlab.simulate import decide, from_callable
    >>> def wait(rng, edges, rate):
    ...     return {"wait": rng.exponential(1 / rate, 50).mean()}
    >>> models = {name: from_callable(wait, kpis={"wait": "min"}, parameters={"rate": rate}) for name, rate in (("old", 1), ("new", 2))}
    >>> decide(runner(models, start="2026-01-05", horizon="1h"), "old", "new", better="lower").comparison.verdict
    'better'
    """
    width = horizon if step is None else step
    jobs = jobs_of(named_models(models), start=start, state=state, horizon=horizon, step=width, seed=seed, trace=0)
    return _Runner(jobs, cores() if workers is None else workers)


class _Runner:
    def __init__(self, jobs: Mapping[str, Job], workers: int) -> None:
        self._jobs = jobs
        self._workers = workers

    def __call__(self, names: list[str], replications: Sequence[int]) -> xr.Dataset:
        """Return KPIs of some scenarios and replications."""
        for name in names:
            if name not in self._jobs:
                msg = f"expected the name of a scenario, got {name!r}{nearest(name, self._jobs)}"
                raise UnknownTermError(msg)
        tasks = [(name, first, count) for name in names for first, count in self._spans(replications)]
        with ThreadPoolExecutor(self._workers) as pool:
            found = list(pool.map(self._kpis, tasks))
        parts = {
            name: join([data for (task, *_), data in zip(tasks, found, strict=True) if task == name]) for name in names
        }
        return xr.concat(
            [part.expand_dims(scenario=[name]) for name, part in parts.items()],
            "scenario",
            combine_attrs="override",
            join="outer",
        )

    def _spans(self, replications: Sequence[int]) -> list[tuple[int, int]]:
        """Split consecutive numbers into a task per thread."""
        numbers = np.asarray(replications)
        runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
        pieces = [piece for one in runs for piece in np.array_split(one, self._workers)]
        return [(int(piece[0]), len(piece)) for piece in pieces if len(piece)]

    def _kpis(self, task: tuple[str, int, int]) -> xr.Dataset:
        name, first, count = task
        data = advance_chunk(self._jobs[name], first, count).data
        kpis = [key for key, values in data.data_vars.items() if values.dims == ("replication",)]
        if not kpis:
            msg = f"expected a model with a KPI, got {name!r} with signals only: {', '.join(map(str, data.data_vars))}"
            raise SchemaError(msg)
        found = data[kpis]
        return found.drop_vars([key for key in found.coords if key != "replication"])
