"""The work between two fits: fit all models, predict with all of them at each issue time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.backtests.plan import Block
from twinlab.predict.known.knowledge import Knowledge
from twinlab.predict.known.reading import read_state
from twinlab.predict.predictions.joining import join
from twinlab.predict.predictions.schema import check_predictions
from twinlab.predict.protocol.hashing import hash_of
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.predictor import Fitted, Predictor
from twinlab.predict.protocol.state import LeakError, State

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["READING", "BlockResult", "BlockTask"]

#: In costs: reading of states, which all models share.
READING = "reading"

Future = Callable[[np.datetime64], xr.Dataset]


@dataclass
class BlockResult:
    """What a block gave.

    Parameters
    ----------
    predictions : dict of str to Dataset
        By model, of all issue times of the block.
    seconds : dict of str to float
        Seconds of processor by model, and of `READING`.
    """

    predictions: dict[str, xr.Dataset] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def spend(self, name: str, seconds: float) -> None:
        """Add seconds of processor."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds


@dataclass(frozen=True)
class BlockTask:
    """A block of a backtest; it runs in any thread or process with the same result.

    Parameters
    ----------
    block : Block
    knowledge : Knowledge
    update : bool
        Whether models are updated before each prediction after the first.
    future : callable, optional
        ``future(issue_time)``: inputs known ahead.
    alone : bool
        Whether nothing else runs in the process, so that its processor time is that of the task.
    """

    block: Block
    knowledge: Knowledge
    update: bool = False
    future: Future | None = None
    alone: bool = False

    def run(self, twin: TwinReader, models: Mapping[str, Predictor]) -> BlockResult:
        """Fit and predict.

        Parameters
        ----------
        twin : TwinReader
            Of this thread.
        models : mapping of str to Predictor

        Raises
        ------
        SchemaError
            If a model can't be fitted, or its predictions don't follow the schema; names model and instant.
        LeakError
            If a model would use what wasn't known.
        """
        clock = time.process_time if self.alone else time.thread_time
        out = BlockResult()
        fitted = self._fitted(twin, models, out, clock)
        parts: dict[str, list[xr.Dataset]] = {name: [] for name in fitted}
        for number, when in enumerate(self.block.issued):
            states: dict[str, State] = {}
            for name in fitted:
                state = self._state(twin, fitted[name].inputs, when, states, out, clock)
                began = clock()
                with _place(name, "predicts", when):
                    if self.update and number:
                        fitted[name] = fitted[name].update(state)
                    data = fitted[name].predict(state)
                    check_predictions(data)
                parts[name].append(data)
                out.spend(name, clock() - began)
        out.predictions = {name: join(found) for name, found in parts.items()}
        return out

    def _fitted(
        self, twin: TwinReader, models: Mapping[str, Predictor], out: BlockResult, clock: Callable[[], float]
    ) -> dict[str, Fitted]:
        """Return all models, fitted to what was known when the block begins."""
        states: dict[str, State] = {}
        fitted = {}
        for name, model in models.items():
            state = self._state(twin, model.inputs, self.block.fit, states, out, clock, span=model.inputs.training_ns)
            began = clock()
            with _place(name, "is fitted", self.block.fit):
                fitted[name] = model.fit(state)
            out.spend(name, clock() - began)
        return fitted

    def _state(  # noqa: PLR0917  (private)
        self,
        twin: TwinReader,
        inputs: Inputs,
        when: np.datetime64,
        states: dict[str, State],
        out: BlockResult,
        clock: Callable[[], float],
        *,
        span: np.timedelta64 | None = None,
    ) -> State:
        """Return what was known at an instant; models with the same inputs share it."""
        key = hash_of(inputs)
        if key not in states:
            began = clock()
            future = None if self.future is None else self.future(when)
            states[key] = read_state(twin, inputs, when, knowledge=self.knowledge, span=span, future=future)
            out.spend(READING, clock() - began)
        return states[key]


class _place:  # noqa: N801  (used as a function)
    """Name the model and the instant in what is raised."""

    def __init__(self, name: str, what: str, when: np.datetime64) -> None:
        self._text = f"{name} {what} at {when}"

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise the same error with the place in its message."""
        if isinstance(error, SchemaError):
            known = LeakError if isinstance(error, LeakError) else SchemaError
            msg = f"{self._text}: {error}"
            raise known(msg) from error
