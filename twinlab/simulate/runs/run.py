"""Run models for many replications, and open what was stored."""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask
import numpy as np
import xarray as xr

from twinlab._rates import Rates
from twinlab.compute import Pool, pool_of
from twinlab.errors import SchemaError
from twinlab.simulate.cost.amounts import Quote
from twinlab.simulate.cost.budget import Budget
from twinlab.simulate.protocol import Model
from twinlab.simulate.runs.chunks import Job
from twinlab.simulate.runs.descriptions import parameters, rebuilt
from twinlab.simulate.runs.folder_store import FolderStore
from twinlab.simulate.runs.identity import about_run, check_same, duration, jobs_of, named_models
from twinlab.simulate.runs.progress import Report, reporting
from twinlab.simulate.runs.results import Results
from twinlab.simulate.runs.schedule import Computation
from twinlab.simulate.runs.stores import MemoryStore, Store

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["open_results", "quote", "rerun", "run"]


def run(
    models: Model | Mapping[str, Model] | list[Model],
    *,
    start: Any = None,  # noqa: ANN401  (what pandas reads as a time)
    state: xr.Dataset | Mapping[str, xr.Dataset] | None = None,
    horizon: Any,  # noqa: ANN401  (what pandas reads as a duration)
    step: Any = "1h",  # noqa: ANN401
    replications: int = 100,
    seed: int | None = None,
    workers: int | None = None,
    client: Client | None = None,
    store: str | Path | None = None,
    trace: int = 0,
    budget: str | None = None,
    over_budget: str = "refuse",
    rates: Rates | None = None,
    progress: Report | bool | None = None,
    cancel: threading.Event | None = None,
    chunk: int | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> Results:
    """Run models for many replications.

    Replication ``i`` depends on the seed and ``i`` only, and all models get the same numbers: scenarios can be compared pair
    by pair. Results don't depend on chunks, threads, processes or interruptions.

    Parameters
    ----------
    models : Model, or models by scenario name, or models with different names
    start : datetime-like
        Start, UTC, of models that begin in their initial state.
    state : Dataset or mapping of str to Dataset
        State to begin with instead, for all scenarios or by scenario.
    horizon, step : timedelta-like
        Length of a replication, and width of the cells of the results' time; ``"7d"``, ``"1h"``.
    replications : int
        Replications of each scenario, counted from 0.
    seed : int, optional
        0, or the state's own, unless it is given.
    workers : int, optional
        Number of threads; by default as Dask is configured, else the cores of this process.
    client : distributed.Client, optional
        Run on this Dask cluster, a chunk of replications a task; the results are the same, and this process writes them. A worker has the
        models, their states and the results of one chunk in memory, at most 32 MiB a variable.
    store : path, optional
        Folder for the results; it is made. If it has an interrupted run of the same models, state, span and seed, that run
        goes on, also if the process was killed. Without it, results are in memory, or in a temporary folder if they are large.
    trace : int
        Number of replications of which events are returned, too.
    budget : str, optional
        The most that the run may take, such as ``"2 EUR"``, ``"10 min"``, ``"3 CPU h"``, ``"0.1 kWh"``, ``"50 g CO2"`` or
        ``"2 GB"``. The first chunks are timed; nothing more is computed if all would take more.
    over_budget : "refuse" or "truncate"
        Raise an error instead, or compute as many replications as the budget allows.
    rates : Rates, optional
        Prices, grams of CO₂ per kWh and watts per core.
    progress : callable or bool, optional
        Called with a `Progress` after each chunk. Default: a bar in terminal and notebook once it takes two seconds.
    cancel : threading.Event, optional
        Once it is set, chunks that are being computed are finished, and what is there is returned.
    chunk : int, optional
        Replications of a task. Default: as many as take a quarter of a second, at least 50 ms.
    attrs : mapping, optional
        Facts to store with the run, such as the version of mappings and the position of the twin; strings and numbers.

    Returns
    -------
    Results

    Raises
    ------
    SchemaError
        If a model, a time, the budget or another argument isn't what is expected, or the store has another run or other data.
    BudgetError
        If the run would take more than its budget.
    SourceError
        If results can't be written, for example because the disk is full; finished chunks are kept.
    """
    if replications < 1 or trace < 0 or (chunk is not None and chunk < 1):
        msg = f"expected replications and chunk of at least 1 and trace of at least 0, got {replications}, {chunk}, {trace}"
        raise SchemaError(msg)
    jobs = jobs_of(named_models(models), start=start, state=state, horizon=horizon, step=step, seed=seed, trace=trace)
    about = about_run(jobs, replications=replications, attrs=attrs or {})
    kept: Store = MemoryStore() if store is None else _folder(Path(store), about)
    options = _Options(jobs, about, rates or Rates(), chunk)
    return options.compute(
        kept,
        replications,
        workers=workers,
        client=client,
        budget=budget,
        over_budget=over_budget,
        progress=progress,
        cancel=cancel,
    )


def quote(models: Any, **options: Any) -> Quote:  # noqa: ANN401  (those of `run`)
    """Return what a run will take, from its first chunks.

    Parameters
    ----------
    models, **options
        As in `run`, except ``store``, ``budget`` and ``over_budget``.

    Returns
    -------
    Quote
        Seconds, CPU-hours, kWh, grams of CO₂, money and bytes, each with its 95 % interval and its source.
    """
    unknown = {"store", "budget", "over_budget"} & set(options)
    if unknown:
        msg = f"expected options of a run without {sorted(unknown)}: a quote keeps nothing; leave them out"
        raise SchemaError(msg)
    replications = options.pop("replications", 100)
    rest = {name: options.pop(name, None) for name in ("workers", "client", "progress", "cancel")}
    rates, chunk = options.pop("rates", None), options.pop("chunk", None)
    options.pop("attrs", None)
    span = {"start": None, "state": None, "step": "1h", "seed": None, "trace": 0} | options
    jobs = jobs_of(named_models(models), **span)
    about = about_run(jobs, replications=replications, attrs={})
    with tempfile.TemporaryDirectory(prefix="twinlab-quote-") as folder:
        kept = FolderStore.create(Path(folder) / "run", about)
        found = _Options(jobs, about, rates or Rates(), chunk).compute(kept, replications, quote_only=True, **rest)
    assert found.quote is not None
    return found.quote


def open_results(path: str | Path) -> Results:
    """Open the results of a stored run, finished or not; reading needs no lock.

    Runs of networks and timetables can be extended, since their models are stored; others go on with `run` and the same models.

    Raises
    ------
    SchemaError
        If there is no run.
    """
    kept = FolderStore(Path(path))
    sessions = kept.sessions()
    last = sessions[-1] if sessions else {}
    stated = Quote.from_dict(last["quote"]) if last.get("quote") else None
    about = kept.about

    def go_on(replications: int, **options: Any) -> Results:  # noqa: ANN401  (those of `Results.extend`)
        jobs = _stored_jobs(kept, None)
        return _Options(jobs, about, Rates(), None).compute(kept, replications, **options)

    return Results(about, kept, go_on=go_on, stopped=last.get("stopped", ""), quote=stated)


def rerun(
    stored: Results,
    models: Model | Mapping[str, Model] | None = None,
    *,
    workers: int | None = None,
    client: Client | None = None,
    progress: Report | bool | None = None,
    cancel: threading.Event | None = None,
    rates: Rates | None = None,
) -> Results:
    """Compute a stored run again, from its stored states, with as many replications; the stored results stay as they are.

    Parameters
    ----------
    stored : Results
        As `open_results` returns them.
    models : Model or mapping of str to Model, optional
        Models by scenario; not needed for networks and timetables.
    workers, client, progress, cancel, rates
        As in `run`.

    Raises
    ------
    SchemaError
        If results aren't stored, or a model is needed or is another one than then.
    """
    kept = stored.store
    if not isinstance(kept, FolderStore):
        msg = "expected results that are stored in a folder, got results in memory; use store= or a catalogue"
        raise SchemaError(msg)
    jobs = _stored_jobs(kept, models)
    total = 1 + max(int(kept.finished(name).max(initial=-1)) for name in jobs)
    if total < 1:
        msg = f"expected finished replications in {kept.path}, found none; call simulate.run with the same store"
        raise SchemaError(msg)
    about = about_run(jobs, replications=total, attrs=stored.about["attrs"])
    options = _Options(jobs, about, rates or Rates(), None)
    return options.compute(MemoryStore(), total, workers=workers, client=client, progress=progress, cancel=cancel)


def _stored_jobs(kept: FolderStore, models: Model | Mapping[str, Model] | None) -> dict[str, Job]:
    """Return the jobs of a stored run, from its states and its descriptions, or from models that are the same."""
    about = kept.about
    given = None if models is None else named_models(models)
    if given is not None and len(given) == 1 and len(about["scenarios"]) == 1:
        # A model alone is that of the only scenario, whatever it is called there.
        given = {next(iter(about["scenarios"])): next(iter(given.values()))}
    jobs = {}
    for name, stated in about["scenarios"].items():
        model = rebuilt(stated["description"], kept.parameters) if given is None else given.get(name)
        if model is None:
            msg = (
                f"expected the model {stated['model']!r} of scenario {name!r}: its description isn't stored, since it is "
                "code; call simulate.run with the same models and store, or pass them as models="
            )
            raise SchemaError(msg)
        if model.content_hash() != stated["model_hash"]:
            msg = (
                f"expected the model of scenario {name!r} with hash {stated['model_hash']}, got one with hash "
                f"{model.content_hash()}; pass the model of then"
            )
            raise SchemaError(msg)
        until = np.datetime64(about["until"], "ns")
        jobs[name] = Job(name, model, kept.state(name), until, duration(about["step"]), about["trace"])
    return jobs


def _folder(path: Path, about: Mapping[str, Any]) -> FolderStore:
    if not (path / "run.json").is_file():
        return FolderStore.create(path, about)
    kept = FolderStore(path)
    check_same(kept.about, about, where=str(path))
    return kept


@dataclass(frozen=True)
class _Options:
    """What stays the same when a run is extended."""

    jobs: Mapping[str, Job]
    about: Mapping[str, Any]
    rates: Rates
    chunk: int | None

    def compute(
        self,
        kept: Store,
        replications: int,
        *,
        workers: int | None = None,
        client: Client | None = None,
        budget: str | None = None,
        over_budget: str = "refuse",
        progress: Report | bool | None = None,
        cancel: threading.Event | None = None,
        quote_only: bool = False,
    ) -> Results:
        if over_budget not in {"refuse", "truncate"}:
            msg = f"expected over_budget= 'refuse' or 'truncate', got {over_budget!r}"
            raise SchemaError(msg)
        most = None if budget is None else Budget.parse(budget, self.rates)
        writing = kept.writing() if isinstance(kept, FolderStore) else nullcontext()
        with writing, _pool(workers, client) as pool, reporting(progress) as report:
            total = max([replications, *(int(kept.finished(name).max(initial=-1)) + 1 for name in self.jobs)])
            if isinstance(kept, FolderStore):
                for name, job in self.jobs.items():
                    kept.keep_state(name, job.state)
                    found = parameters(job.model)
                    if found is not None:
                        kept.keep_parameters(job.model.content_hash(), found)
                kept.grow(total)
                if total > kept.about["replications"]:
                    kept.change(replications=total)
            computation = Computation(
                jobs=self.jobs,
                # Each job is sent to a cluster once.
                inputs={name: pool.share(job) for name, job in self.jobs.items()},
                store=kept,
                total=total,
                pool=pool,
                chunk=self.chunk,
                rates=self.rates,
                budget=most,
                truncate=over_budget == "truncate",
                report=report,
                cancel=cancel or threading.Event(),
                quote_only=quote_only,
                spill=lambda: _temporary(self.about),
            )
            computation.run()
        about = {**self.about, "replications": total}
        more = replace(self, about=about)
        kept = computation.store
        return Results(
            about,
            kept,
            go_on=lambda count, **options: more.compute(_fresh(kept), count, **options),
            stopped=computation.stopped,
            quote=computation.quote,
        )


def _fresh(kept: Store) -> Store:
    """Return a store to which more is added, so that results from before stay as they are."""
    return kept.copy() if isinstance(kept, MemoryStore) else kept


def _temporary(about: Mapping[str, Any]) -> FolderStore:
    """Return a store in a folder that is removed once nothing refers to it."""
    folder = Path(tempfile.mkdtemp(prefix="twinlab-run-"))
    kept = FolderStore.create(folder / "run", about)
    weakref.finalize(kept, shutil.rmtree, folder, ignore_errors=True)
    return kept


def _pool(workers: int | None, client: Client | None) -> AbstractContextManager[Pool]:
    """Return the pool that computes chunks."""
    if hasattr(workers, "get_executor"):
        msg = f"expected workers= as a number of threads, got {workers!r}; pass a client of a Dask cluster as client="
        raise SchemaError(msg)
    # Also one worker is a thread of its own: this one waits for it, reports, and may be interrupted.
    count = dask.config.get("num_workers", None) if workers is None else workers
    return pool_of(client, workers=count, own_thread=False)
