"""Models whose state can't be saved: the state is how to repeat the past, and `advance` repeats it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from twinlab.simulate.adapters import streams
from twinlab.simulate.adapters.outputs import Outputs
from twinlab.simulate.adapters.state import Span, checked_span, scalars
from twinlab.simulate.protocol import Advanced

__all__ = ["Live", "Replayed"]

_PAST = ("past_until", "past_seed", "past_replication")


class Live(ABC):
    """A running simulation of one replication."""

    @abstractmethod
    def advance_to(self, seconds: float) -> None:
        """Simulate all that happens before an instant, in seconds since the start."""

    @abstractmethod
    def signals(self) -> Mapping[str, ArrayLike]:
        """Return the present values of the signals; changes nothing."""

    @abstractmethod
    def kpis(self) -> Mapping[str, ArrayLike]:
        """Return the KPIs from the start to now; changes nothing."""

    def close(self) -> None:  # noqa: B027  (most have nothing to release)
        """Release what the simulation keeps open."""


class Replayed(ABC):
    """A model that repeats its past.

    Its state has ``past_until`` (int64 nanoseconds since the start), ``past_seed`` and ``past_replication``, dim ``past``: whose random
    numbers were used up to when. A fork changes ``seed`` and ``replication`` only, so that the copy repeats the common past and goes
    on with numbers of its own. The simulation that advanced last stays in memory; continuing it repeats nothing.
    """

    name: str
    outputs: Outputs

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], tuple[Live, np.random.Generator]] = {}

    def __getstate__(self) -> dict[str, Any]:
        # A running simulation can't be copied to another process.
        return {**self.__dict__, "_kept": {}}

    @abstractmethod
    def content_hash(self) -> str:
        """Return the hash of the model."""

    @abstractmethod
    def _begin(self, rng: np.random.Generator, start: np.datetime64, seed: int, replication: int) -> Live:
        """Return a simulation at its start."""

    def initial_state(self, *, start: np.datetime64, seed: int = 0, replication: int = 0) -> xr.Dataset:
        """Return the state at a start."""
        variables = scalars(start=start, seed=seed, replication=replication)
        return xr.Dataset(variables | _past([]), attrs={"model": self.name, "model_hash": self.content_hash()})

    def advance(
        self, state: xr.Dataset, *, until: np.datetime64, step: np.timedelta64, trace: bool = False
    ) -> Advanced:
        """Advance to a later instant; repeats the past unless this model advanced that very state last."""
        del trace  # these simulations have no event tables
        span = checked_span(state, name=self.name, model_hash=self.content_hash(), until=until, step=step)
        past = list(zip(*(state[name].values.tolist() for name in _PAST), strict=True))
        live, rng = self._kept.pop(self._key(span, past), (None, None))
        if live is None or rng is None:
            self.close()
            live, rng = self._repeated(span, past)
        present = span.seed, span.replication
        if past and past[-1][1:] != present:
            streams.restart(rng, span.seed, span.replication)
        rows: dict[str, list[ArrayLike]] = defaultdict(list)
        for instant in span.seconds(span.times):
            live.advance_to(float(instant))
            for key, value in live.signals().items():
                rows[key].append(value)
        live.advance_to(float(span.seconds(span.until)))
        results = self.outputs.dataset(span.times, {key: np.array(values) for key, values in rows.items()}, live.kpis())
        elapsed = int((span.until - span.start).astype(np.int64))
        if past and past[-1][1:] == present:
            past.pop()
        past.append((elapsed, *present))
        self._kept[self._key(span, past)] = live, rng
        later = state.drop_vars(_PAST).assign(_past(past) | {"time": span.until})
        return Advanced(later, results)

    def close(self) -> None:
        """Release the simulation that is kept in memory."""
        while True:
            try:
                _, (live, _) = self._kept.popitem()
            except KeyError:  # empty, or emptied by another thread
                return
            live.close()

    @staticmethod
    def _key(span: Span, past: list[tuple[int, int, int]]) -> tuple[Any, ...]:
        # At the start nothing is in the past yet, and the replication decides.
        return (span.start, tuple(past)) if past else (span.start, span.seed, span.replication)

    def _repeated(self, span: Span, past: list[tuple[int, int, int]]) -> tuple[Live, np.random.Generator]:
        first = past[0][1:] if past else (span.seed, span.replication)
        rng = streams.generator(*first)
        live = self._begin(rng, span.start, *first)
        for number, (elapsed, seed, replication) in enumerate(past):
            if number:
                streams.restart(rng, seed, replication)
            live.advance_to(elapsed / 1e9)
        return live, rng


def _past(segments: list[tuple[int, int, int]]) -> dict[str, xr.Variable]:
    columns = np.array(segments, dtype=np.int64).reshape(-1, 3)
    return {name: xr.Variable("past", columns[:, number]) for number, name in enumerate(_PAST)}
