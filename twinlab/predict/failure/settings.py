"""What a predictor of failures reads, and how it looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.predict.failure.indicators import Indicator
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.inputs import Inputs

__all__ = ["FailureSettings"]

DAY: Final = np.timedelta64(1, "D")


@dataclass(frozen=True)
class FailureSettings:
    """What is read, and what is compared with what.

    Parameters
    ----------
    event_type : str
        Events that are failures: from the failure to the end of the repair.
    asset_type : str
        Type whose assets fail.
    indicators : tuple of Indicator
        What is computed of the cells of each row.
    step : str
        Width of the cells.
    every : str
        Width of a row, a multiple of the step.
    spans : tuple of int
        Numbers of rows over which levels and slopes are taken, rising.
    index_spans : tuple of int
        Numbers of rows over which the mean and the trend of wear indexes are taken, see `WearIndex`; none: no index.
    usual : "window" or "begin"
        An asset's usual value: the median of the rows in the window before, or of the first ones in the window. The latter is for assets that are
        observed from new on, the former for long histories.
    usual_rows : int
        Rows that the usual value is of, at most.
    peers : bool
        Subtract the median deviation of all assets of a row: weather and weekdays concern all.
    group : str, optional
        Property of the assets; only assets of one group are peers.
    longest : str
        Longest span of which probabilities are learnt; a longer life is learnt as this one.
    training : str
        Span before the fit that is read.
    ending : tuple of str
        Properties of the events that are shown of a past case.

    Raises
    ------
    SchemaError
        If spans don't fit each other.
    """

    event_type: str
    asset_type: str
    indicators: tuple[Indicator, ...]
    step: str = "5min"
    every: str = "1d"
    spans: tuple[int, ...] = (1, 3, 7)
    index_spans: tuple[int, ...] = (3, 7)
    usual: Literal["window", "begin"] = "window"
    usual_rows: int = 42
    peers: bool = True
    group: str | None = None
    longest: str = "14d"
    training: str = "365d"
    ending: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.indicators:
            msg = f"expected at least one indicator of {self.asset_type!r}, got none"
            raise SchemaError(msg)
        names = [one.name for one in self.indicators]
        if len(set(names)) != len(names):
            msg = f"expected indicators with different names, got {next(one for one in names if names.count(one) > 1)!r} twice; give titles"
            raise SchemaError(msg)
        for name, given in (("spans", self.spans), ("index_spans", self.index_spans)):
            if list(given) != sorted(set(given)) or min(given, default=1) < 1 or not self.spans:
                msg = f"expected rising numbers of rows of at least 1 in {name}, got {given}"
                raise SchemaError(msg)
        step, every = duration(self.step, what="step"), self.every_ns
        if every < step or (every % step).astype("int64"):
            msg = f"expected every= to be a multiple of the step {self.step}, got {self.every!r}"
            raise SchemaError(msg)
        if self.longest_ns < every:
            msg = f"expected a longest span of at least one row of {self.every}, got {self.longest!r}"
            raise SchemaError(msg)
        if self.usual not in ("window", "begin") or self.usual_rows < 2:
            msg = f"expected usual='window' or 'begin' of at least 2 rows, got {self.usual!r} and {self.usual_rows}"
            raise SchemaError(msg)

    @property
    def every_ns(self) -> np.timedelta64:
        """Width of a row."""
        return duration(self.every, what="every")

    @property
    def longest_ns(self) -> np.timedelta64:
        """Longest span of which probabilities are learnt."""
        return duration(self.longest, what="longest")

    @property
    def longest_days(self) -> float:
        """The same in days."""
        return float(self.longest_ns / DAY)

    @property
    def window_rows(self) -> int:
        """Rows that the features of one instant need."""
        return self.usual_rows + max(*self.spans, *self.index_spans)

    @property
    def inputs(self) -> Inputs:
        """What is read of a twin."""
        hours = self.window_rows * self.every_ns
        if self.usual == "begin":
            # The first rows are as far back as the asset is observed.
            window = self.training
        else:
            window = f"{int((hours + duration(self.step, what='step')) / np.timedelta64(1, 's'))}s"
        names = tuple(dict.fromkeys(name for one in self.indicators for name in one.variables))
        return Inputs(
            self.asset_type, names, step=self.step, window=window, training=self.training, events=(self.event_type,)
        )

    def bounds(self, issue_time: np.datetime64, latency: np.timedelta64, rows: int) -> NDArray[np.datetime64]:
        """Return the bounds of the rows before an instant, (row + 1,): the last one ends with the newest cell that can be known."""
        back = np.arange(rows, -1, -1) * self.every_ns
        found: NDArray[np.datetime64] = issue_time - latency - back
        return found
