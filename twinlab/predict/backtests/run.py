"""Run a backtest: blocks on threads or on a Dask cluster, finished ones kept."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import xarray as xr
from tqdm.auto import tqdm

from twinlab._energy import EnergyMeter
from twinlab._rates import Rates
from twinlab.compute import Handle, Pool, pool_of
from twinlab.compute.pool import Call
from twinlab.errors import SchemaError
from twinlab.predict.backtests.block import BlockResult, BlockTask, Future
from twinlab.predict.backtests.checkpoints import Checkpoints
from twinlab.predict.backtests.costs import cost_table
from twinlab.predict.backtests.plan import Plan
from twinlab.predict.backtests.result import FINAL, THEN, Backtest
from twinlab.predict.baselines.defaults import Targeted, default_baselines
from twinlab.predict.known.knowledge import ByEventTime, Knowledge
from twinlab.predict.known.reading import default_knowledge, facts_of
from twinlab.predict.predictions.joining import join
from twinlab.predict.predictions.schema import CANT_TELL
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.predictor import Predictor
from twinlab.predict.targets.truth import truth_of

if TYPE_CHECKING:
    from distributed import Client

    from twinlab.model.reader import TwinReader

__all__ = ["backtest"]

Progress = Callable[[int, int], object]


def backtest(
    predictor: Predictor,
    twin: TwinReader,
    start: object,
    stop: object,
    *,
    every: str = "1d",
    refit: str | None = None,
    update: bool = False,
    baselines: Mapping[str, Predictor] | None = None,
    knowledge: Knowledge | None = None,
    final: bool = True,
    truth: Callable[[TwinReader, xr.Dataset], xr.DataArray] = truth_of,
    future: Future | None = None,
    store: str | Path | None = None,
    workers: int | None = None,
    client: Client | None = None,
    rates: Rates | None = None,
    progress: bool | Progress = True,
) -> Backtest:
    """Predict at many issue times from what was known then, beside baselines.

    Parameters
    ----------
    predictor : Predictor
    twin : TwinReader
    start, stop : instant
        First issue time, and their end, exclusive.
    every : str
        Span between issue times.
    refit : str, optional
        Span between fits; by default one fit, at the start. Each fit uses what was known at its own instant.
    update : bool
        Update the models with each new state between fits.
    baselines : mapping of str to Predictor, optional
        By default those of `default_baselines`.
    knowledge : Knowledge, optional
        What was known then; by default by ingest time if the twin has a ledger, else by event time.
    final : bool
        Predict from the data as they are now, too, for `Backtest.leak`.
    truth : callable
        ``truth(twin, predictions)``: true values; by default those of signals and of events that begin.
    future : callable, optional
        ``future(issue_time)``: inputs known ahead, a Dataset whose variables state when they were issued.
    store : path, optional
        Folder in which finished blocks are kept; the same call goes on with a backtest that was interrupted.
    workers : int, optional
        Threads; by default one for each core.
    client : distributed.Client, optional
        Run on this Dask cluster, a task a span between two fits; the result is the same. A worker has the states of one task in
        memory, and the models.
    rates : Rates, optional
        Prices and watts.
    progress : bool or callable
        Show a bar, or call ``progress(blocks, of)``.

    Returns
    -------
    Backtest

    Raises
    ------
    SchemaError
        If a model can't be fitted or ``store`` has another backtest.
    LeakError
        If a model would use what wasn't known.
    """
    plan = Plan.of(start, stop, every=every, refit=refit)
    rule = default_knowledge(twin) if knowledge is None else knowledge
    others = default_baselines(cast("Targeted", predictor)) if baselines is None else dict(baselines)
    if predictor.name in others:
        msg = f"expected baselines with other names than the model's, {predictor.name!r}"
        raise SchemaError(msg)
    models = {predictor.name: predictor, **others}
    rules: dict[str, Knowledge] = {THEN: rule}
    if final and rule != ByEventTime():
        rules[FINAL] = ByEventTime()
    identity = {
        "models": hash_of({name: one.content_hash() for name, one in models.items()}),
        "plan": hash_of(plan, update),
        "knowledge": hash_of(*rules.values()),
        "data": hash_of(facts_of(twin)),
    }
    kept = None if store is None else Checkpoints(store, identity)
    handle = Handle.of(twin)
    if handle.opening is not None:
        _record_reads(twin, models)
    tasks = {
        (known, block.number): BlockTask(block, one, update=update, future=future)
        for known, one in rules.items()
        for block in plan.blocks
    }
    rates = rates or Rates()
    meter = EnergyMeter(rates, local=client is None)
    began = time.process_time()
    found, fresh = _run_all(tasks, (handle, models), kept, workers=workers, client=client, progress=progress)
    predictions = {
        (name, known): join([found[known, block.number].predictions[name] for block in plan.blocks])
        for name in models
        for known in rules
    }
    seconds: dict[str, float] = {}
    for result in found.values():
        for name, own in result.seconds.items():
            seconds[name] = seconds.get(name, 0.0) + own
    now = sum(sum(found[key].seconds.values()) for key in fresh)
    factor = max(1.0, (time.process_time() - began) / now) if now and client is None else 1.0
    numbers = {name: sum(int((predictions[name, known][CANT_TELL] == 0).sum()) for known in rules) for name in models}
    energy = meter.energy(sum(seconds.values()) * factor)
    cost = cost_table(seconds, numbers, energy=energy, rates=rates, factor=factor)
    true = truth(twin, predictions[predictor.name, THEN])
    return Backtest(predictor.name, plan, predictions, true, cost)


def _record_reads(twin: TwinReader, models: Mapping[str, Predictor]) -> None:
    """Ask the twin for nothing of what the models read: one with personal data records it, which the twins that tasks open don't."""
    for inputs in {hash_of(one.inputs): one.inputs for one in models.values()}.values():
        for asset_type, names in {inputs.asset_type: inputs.variables, **inputs.others}.items():
            if names:
                twin.history(asset_type, step=inputs.step)
        for event_type in inputs.events:
            twin.events(event_type, start="1970-01-01", stop="1970-01-02")
        for relationship in inputs.relationships:
            twin.relationships(relationship)


Key = tuple[str, int]


def _run_all(
    tasks: Mapping[Key, BlockTask],
    shared: tuple[Handle, Mapping[str, Predictor]],
    kept: Checkpoints | None,
    *,
    workers: int | None,
    client: Client | None,
    progress: bool | Progress,
) -> tuple[dict[Key, BlockResult], list[Key]]:
    """Return the results of all tasks, and which of them were run now."""
    done = {key: kept.load(*key) for key in tasks if kept is not None and kept.has(*key)}
    todo = {key: task for key, task in tasks.items() if key not in done}
    few = 1 if len(todo) < 2 else workers
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(pool_of(client, workers=few, handle=shared[0]))
        # Models and how the twin is opened are sent once, blocks one by one.
        sent = pool.share(shared)
        calls = (
            (key, Call(_run, (sent, task), f"block {key[1]} ({key[0]})"))
            for key, task in _alone(todo, pool, client).items()
        )
        show: Progress
        if callable(progress):
            show = progress
        else:
            bar = stack.enter_context(
                tqdm(total=len(tasks), desc="backtest", unit="fit", delay=2, disable=not progress)
            )

            def show(count: int, of: int) -> object:  # noqa: ARG001  (as the callback has it)
                return bar.update(count - bar.n)

        show(len(done), len(tasks))
        for key, result in stack.enter_context(contextlib.closing(pool.as_completed(calls))):
            if kept is not None:
                kept.save(*key, result)
            done[key] = result
            show(len(done), len(tasks))
    return done, list(todo)


def _alone(tasks: Mapping[Key, BlockTask], pool: Pool, client: Client | None) -> Mapping[Key, BlockTask]:
    """Return tasks that know whether nothing else runs in their process."""
    alone = pool.size == 1 if client is None else all(count == 1 for count in client.nthreads().values())
    return {key: replace(task, alone=alone) for key, task in tasks.items()}


def _run(shared: tuple[Handle, Mapping[str, Predictor]], task: BlockTask) -> BlockResult:
    handle, models = shared
    return task.run(handle.open(), models)
