"""Which chunks are computed when, where, and until when."""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from twinlab._energy import EnergyMeter
from twinlab._rates import Rates
from twinlab.compute import Pool
from twinlab.simulate.cost.amounts import Cost, Meter, Quote
from twinlab.simulate.cost.budget import Budget
from twinlab.simulate.cost.tally import Sample, Tally
from twinlab.simulate.runs.chunks import LEAST_SECONDS, Job, Piece, advance_chunk, probe
from twinlab.simulate.runs.progress import Progress, Report
from twinlab.simulate.runs.stores import MemoryStore, Store

__all__ = ["Computation", "gaps"]

#: Seconds between looks at the cancel event and the counters.
_PAUSE = 0.1
#: Seconds of a task once there are enough of them.
_GOOD_SECONDS = 0.25
#: Tasks of that size per worker that remain at least, so that no worker waits for another at the end.
_TASKS_EACH = 16
#: Chunks per worker that are timed for the quote, unless that takes longer than so many seconds.
_PILOT_CHUNKS, _PILOT_SECONDS = 4, 1.0
#: Bytes of a variable in a chunk.
_CHUNK_BYTES = 2**25
#: Bytes of results that are kept in memory.
MEMORY_BYTES = 2**28
#: How much compressed bytes of a replication may differ from those of the first ones, relative.
_BYTES_VARY = 0.1
_Kind = TypeVar("_Kind", bound=Cost)


def gaps(finished: NDArray[np.int64], total: int, unit: int) -> list[tuple[int, int]]:
    """Return (first, count) of replications below ``total`` that aren't finished, cut at multiples of ``unit``.

    >>> gaps(np.array([0, 1, 2, 3, 9]), 12, 4)
    [(4, 4), (8, 1), (10, 2)]
    """
    missing = np.ones(total, dtype=bool)
    missing[finished[finished < total]] = False
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False])).astype("int8")))
    found = []
    for first, stop in edges.reshape(-1, 2).tolist():
        cuts = [first, *range((first // unit + 1) * unit, stop, unit), stop]
        found += [(low, high - low) for low, high in pairwise(cuts)]
    return found


@dataclass
class Computation:
    """One call that computes what isn't finished yet.

    Chunks begin with low numbers of all scenarios, so that what is finished can be compared at any time. The first ones (a
    probe of each scenario, then up to four chunks for each worker) are timed for the quote; only then others begin, as far as
    the budget allows.

    Parameters
    ----------
    jobs : mapping of str to Job
        By scenario.
    inputs : mapping of str to Job
        The same as the pool's tasks take them: a cluster has them already.
    store : Store
    total : int
        Replications of each scenario.
    pool : Pool
        Threads, or the workers of a Dask cluster: then this process writes.
    chunk : int or None
        Replications of a task; None finds it by timing.
    rates : Rates
    budget : Budget or None
    truncate : bool
        Compute as much as the budget allows instead of refusing.
    report : callable
        Called with `Progress` after each chunk.
    cancel : Event
        Once it is set, no chunk is begun any more.
    spill : callable
        Returns a store on a disk, to which results go that would take too much memory.
    quote_only : bool
        Stop after the quote.
    """

    jobs: Mapping[str, Job]
    inputs: Mapping[str, Any]
    store: Store
    total: int
    pool: Pool
    chunk: int | None
    rates: Rates
    budget: Budget | None
    truncate: bool
    report: Report
    cancel: threading.Event
    spill: Callable[[], Store]
    quote_only: bool = False
    quote: Quote | None = field(default=None, init=False)
    stopped: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self._order = {name: place for place, name in enumerate(self.jobs)}
        self._waiting: list[tuple[int, int, int, str]] = []
        self._probes = [name for name in self.jobs if self.store.chunk(name) is None]
        self._running: dict[Future[Piece], tuple[str, int, int]] = {}
        self._tally = Tally()
        self._before = self._spent_before()
        self._begun, self._begun_cpu = time.perf_counter(), time.process_time()
        self._meter = EnergyMeter(self.rates, local=not self.pool.remote)
        self._computed = self._chunks_done = 0
        self._done = {name: len(self.store.finished(name)) for name in self.jobs}
        self._own_cpu = 0.0
        # Whether the budget leaves no room for more chunks before the quote.
        self._is_short = False
        self._sized_at, self._sizes = -math.inf, (0, 0)
        for name in self.jobs:
            if name not in self._probes:
                self._add_gaps(name)

    def run(self) -> None:
        """Compute until all is finished, the budget is spent or somebody cancels; finished chunks are kept in any case.

        Raises
        ------
        BudgetError
            If the quote is above the budget and it isn't to be truncated.
        KeyboardInterrupt
            After chunks that were being computed are finished and kept.
        """
        try:
            self._loop()
        finally:
            self._finish_running()
            if self._computed:
                note = {"meter": self.meter().to_dict(), "stopped": self.stopped}
                self.store.note_session(note | ({"quote": self.quote.to_dict()} if self.quote else {}))

    def _loop(self) -> None:
        while True:
            if self.quote is None and not self._probes and self._is_measured():
                self._make_quote()
            self._submit()
            if not self._running:
                if self.quote is None and self._is_short:
                    continue  # too little was timed before the budget ended; the quote is made from that
                return
            done, _ = wait(self._running, timeout=_PAUSE, return_when=FIRST_COMPLETED)
            for future in done:
                self._take(future)
            # The counters begin anew after some minutes.
            self._meter.energy(self._tally.cpu)

    def _is_measured(self) -> bool:
        """Whether enough was timed for a quote."""
        # Nothing runs while the quote decides where results are kept and whether to go on.
        if self._running:
            return False
        return self._is_short or self._chunks_done >= self._pilot_chunks() or not self._waiting

    def _pilot_chunks(self) -> int:
        """Return the number of chunks to time: more of short ones, since their times vary more."""
        long = time.perf_counter() - self._begun > _PILOT_SECONDS
        return self.pool.size * (1 if long else _PILOT_CHUNKS)

    def _submit(self) -> None:
        while len(self._running) < 2 * self.pool.size:
            if self.cancel.is_set():
                self.stopped = "cancelled"
            if self.stopped:
                return
            if self._probes:
                name = self._probes.pop(0)
                first, count = 0, 0
                future = self.pool.submit(
                    probe,
                    self.inputs[name],
                    min(self.chunk or self.total, self.total),
                    place=f"first replications of {name}",
                )
            else:
                begun = self._chunks_done + sum(count > 0 for _, _, count in self._running.values())
                if not self._waiting or (self.quote is None and begun >= self._pilot_chunks()):
                    return
                if self.budget is not None and self._is_spent(self.budget, self._waiting[0]):
                    self._is_short = True
                    if self.quote is not None:
                        self.stopped = f"the budget of {self.budget.text} is spent"
                    return
                first, _, count, name = heapq.heappop(self._waiting)
                store = None if self.pool.remote else self.store
                place = f"{name}, replications {first} to {first + count - 1}"
                future = self.pool.submit(_compute, self.inputs[name], first, count, store, place=place)
            self._running[future] = (name, first, count)

    def _take(self, future: Future[Piece]) -> None:
        cpu = time.thread_time()
        name, _, count = self._running.pop(future)
        piece, is_probe = future.result(), count == 0
        if is_probe:
            self._begin(piece)
        if is_probe or self.pool.remote:
            self.store.keep(piece)
        self._count(piece, is_probe=is_probe)
        if is_probe:
            self._add_gaps(name)
        done, total = sum(self._done.values()), self.total * len(self.jobs)
        self.report(Progress(done, total, self._left(), name, piece.data))
        if not is_probe:
            self._own_cpu += time.thread_time() - cpu

    def _count(self, piece: Piece, *, is_probe: bool) -> None:
        self._done[piece.scenario] += piece.count
        self._computed += piece.count
        self._chunks_done += not is_probe
        for count, cpu in piece.samples:
            wall = piece.wall * cpu / piece.cpu if piece.cpu else cpu
            self._tally.add(piece.scenario, Sample(count, cpu, wall, is_probe and self.pool.size > 1))

    def _begin(self, piece: Piece) -> None:
        """Make room for a scenario's results, in chunks that take long enough and aren't too large."""
        each = max(piece.cpu, 1e-9) / piece.count
        wanted = self.chunk or _power_of_two(min(piece.count, LEAST_SECONDS / each))
        largest = max(one.nbytes // piece.count for one in piece.data.data_vars.values())
        chunk = max(1, min(wanted, _CHUNK_BYTES // max(1, largest)))
        self.store.begin(piece.scenario, piece.data, chunk=chunk, size=self.total)

    def _add_gaps(self, name: str) -> None:
        chunk = self.store.chunk(name)
        assert chunk is not None
        unit = chunk
        samples = self._tally.samples.get(name)
        if self.chunk is None and samples:
            each = sum(one.cpu for one in samples) / sum(one.count for one in samples)
            most = (self.total - self._done[name]) / (_TASKS_EACH * self.pool.size)
            unit *= max(1, int(min(_GOOD_SECONDS / each, most) // chunk))
        for first, count in gaps(self.store.finished(name), self.total, unit):
            heapq.heappush(self._waiting, (first, self._order[name], count, name))

    def _remaining(self) -> dict[str, int]:
        return {name: self.total - done for name, done in self._done.items() if done < self.total}

    def _left(self) -> float | None:
        if self.quote is None and self._chunks_done == 0:
            return None
        return self._tally.rest(self._remaining()).wall / self.pool.size

    def _cpu(self) -> float:
        """Seconds of processor so far: of the whole process where tasks are threads of it."""
        own = time.process_time() - self._begun_cpu
        return own + self._tally.cpu if self.pool.remote else own

    def _make_quote(self) -> None:
        source = f"{self._chunks_done + len(self._tally.samples)} timed chunks"
        self.quote = self._cost(Quote, self._remaining(), source)
        if self.quote_only:
            self.stopped = "only a quote was asked for"
        elif self.budget is not None and not self.truncate:
            self.budget.check(self.quote)
        if isinstance(self.store, MemoryStore) and self.quote.bytes.value > MEMORY_BYTES:
            # Nothing is being computed now that would be kept in memory.
            self._move(self.store, self.spill())

    def _move(self, store: MemoryStore, target: Store) -> None:
        for piece in store.pieces():
            if target.chunk(piece.scenario) is None:
                chunk = store.chunk(piece.scenario)
                assert chunk is not None
                target.begin(piece.scenario, piece.data, chunk=chunk, size=self.total)
            target.keep(piece)
        self.store = target

    def _spent_before(self) -> dict[str, float]:
        """Return seconds of clock, CPU-hours and kWh of earlier calls, those that were killed included."""
        sessions = self.store.sessions()
        spent = {"seconds": 0.0, "cpu_hours": 0.0, "kwh": 0.0}
        if sessions:
            last = Meter.from_dict(sessions[-1]["meter"])
            spent = {name: last.amounts[name].value for name in spent}
        cpu, wall = self.store.unmetered()
        watts = self.rates.watts_per_core * self.rates.overhead
        more = {"seconds": wall / self.pool.size, "cpu_hours": cpu / 3600, "kwh": cpu * watts / 3.6e6}
        return {name: value + more[name] for name, value in spent.items()}

    def meter(self) -> Meter:
        """Return what this call and earlier ones have taken."""
        self._sized_at = -math.inf
        return self._cost(Meter, {}, "measured")

    def _is_spent(self, budget: Budget, following: tuple[int, int, int, str]) -> bool:
        """Whether what runs and one more chunk may exceed the budget: a replication takes longer while other work is on the machine."""
        if not self._tally.samples:
            return False
        begun: dict[str, int] = {following[3]: following[2]}
        for name, _, count in self._running.values():
            begun[name] = begun.get(name, 0) + count
        return budget.may_be_exceeded(self._cost(Meter, begun, "predicted"))

    def _bytes(self) -> tuple[int, int]:
        """Return the bytes of the store, and those of them that grow with replications; at most a second old."""
        now = time.perf_counter()
        if now - self._sized_at > 1.0:
            self._sized_at, self._sizes = now, (self.store.disk_bytes(), self.store.disk_bytes(data_only=True))
        return self._sizes

    def _cost(self, kind: type[_Kind], remaining: Mapping[str, int], source: str) -> _Kind:
        """Return the cost of earlier calls, of this one so far, and of replications that remain."""
        rest, count = self._tally.rest(remaining), sum(remaining.values())
        spent, clock = self._cpu(), time.perf_counter() - self._begun
        if count:
            # This process takes results and reports them, a chunk at a time.
            own = self._own_cpu / max(1, self._computed) * count
            rest = replace(rest, cpu=_triple(one + own for one in rest.cpu), wall=rest.wall + own)
        before = self._before
        cpu = tuple(spent + one for one in rest.cpu)
        relative = [one / rest.cpu[0] if rest.cpu[0] else 1.0 for one in rest.cpu]
        seconds = tuple(before["seconds"] + clock + rest.wall / self.pool.size * one for one in relative)
        taken, growing = self._bytes()
        more = growing / max(1, sum(self._done.values())) * count
        size = tuple(taken + more * one for one in (1.0, 1 - _BYTES_VARY, 1 + _BYTES_VARY))
        energy = self._meter.energy(spent)
        joules = energy.joules * (cpu[0] / spent if spent else 1.0) + before["kwh"] * 3.6e6
        return kind.of(
            _triple(seconds),
            _triple(one + before["cpu_hours"] * 3600 for one in cpu),
            _triple(size),
            replace(energy, joules=joules),
            rates=self.rates,
            source=source,
            replications=sum(self._done.values()) + count,
        )

    def _finish_running(self) -> None:
        """Wait for chunks that are being computed and keep them; those that wait for a worker are withdrawn."""
        begun = [future for future in self._running if not future.cancel()]
        wait(begun)
        for future in begun:
            _, _, count = self._running[future]
            if future.cancelled() or future.exception() is not None:
                continue
            piece = future.result()
            if count == 0:
                self._begin(piece)
            if count == 0 or self.pool.remote:
                self.store.keep(piece)
            self._count(piece, is_probe=count == 0)
        self._running.clear()


def _compute(job: Job, first: int, count: int, store: Store | None) -> Piece:
    """Compute some replications, and keep them if this process may write."""
    piece = advance_chunk(job, first, count)
    if store is None:
        return piece
    cpu, wall = time.thread_time(), time.perf_counter()
    store.keep(piece)
    cpu, wall = piece.cpu + time.thread_time() - cpu, piece.wall + time.perf_counter() - wall
    return replace(piece, cpu=cpu, wall=wall, samples=((count, cpu),))


def _triple(values: Iterable[float]) -> tuple[float, float, float]:
    value, low, high = values
    return value, low, high


def _power_of_two(least: float) -> int:
    """Return the smallest power of two that is at least a number.

    >>> _power_of_two(0.2), _power_of_two(3), _power_of_two(4)
    (1, 4, 4)
    """
    return 1 << max(0, math.ceil(math.log2(max(least, 1.0))))
