"""What a question's true answer can be, and the tables of a twin that true answers are computed from, with pandas only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from twinlab.twin import Twin

FAILED = 4


@dataclass(frozen=True)
class Number:
    """One number; a value in another unit of the same kind is as good."""

    value: float
    unit: str = ""
    tolerance: float = 0.005
    noted: bool = False
    """Right only with a note, such as a zero for a year that has no data."""


@dataclass(frozen=True)
class Name:
    """One asset, event or text; where several are equally right, each of them."""

    names: frozenset[str]


@dataclass(frozen=True)
class Names:
    """Exactly these assets or events."""

    names: frozenset[str]


@dataclass(frozen=True)
class Groups:
    """A number for each group; a group is an asset, or the start of a month."""

    values: Mapping[object, float]
    unit: str = ""
    tolerance: float = 0.005


@dataclass(frozen=True)
class Moment:
    """One instant, or any of several that are equally right; a day is right for each instant of it."""

    times: frozenset[pd.Timestamp]
    day: bool = False


@dataclass(frozen=True)
class Starts:
    """Exactly these starts of events."""

    times: frozenset[pd.Timestamp]


@dataclass(frozen=True)
class YesNo:
    """Whether something is or was so."""

    so: bool


@dataclass(frozen=True)
class Refuse:
    """The data can't answer it."""


Truth = Number | Name | Names | Groups | Moment | Starts | YesNo | Refuse


class Facts:
    """Tables of a twin, each read once; cells that failed a check are missing."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self.cells = cache(self._cells)
        self.events = cache(twin.events)
        self.assets = cache(twin.assets)
        self.links = cache(twin.relationships)

    def _cells(self, asset_type: str, signal: str) -> pd.DataFrame:
        data = self.twin.history(asset_type, signals=[signal]).compute()
        return data[signal].where(data[f"{signal}_qc"] != FAILED).to_pandas()


@dataclass(frozen=True)
class Asked:
    """A question as somebody types it, and each answer that is right."""

    question: str
    truths: Callable[[Facts], list[Truth]]
    readings: str = ""
    """Which readings are right, where there are several."""
    held_back: bool = False
    """Asked once, after the parser was corrected with the others."""


def held_back(question: str, truths: Callable[[Facts], list[Truth]], readings: str = "") -> Asked:
    """Return a question that is asked once, after the parser was corrected with others."""
    return Asked(question, truths, readings, held_back=True)


def name(*names: object) -> Name:
    """Return a name, or several that are equally right."""
    return Name(frozenset(map(str, names)))


def names(found: object) -> Names:
    """Return a set of names."""
    return Names(frozenset(map(str, found)))  # type: ignore[call-overload]


def within(times: pd.Series, start: str, stop: str) -> pd.Series:
    """Return which times are in ``[start, stop)``."""
    return (times >= pd.Timestamp(start)) & (times < pd.Timestamp(stop))


def minutes(spans: pd.Series) -> pd.Series:
    """Return durations in minutes."""
    return spans / pd.Timedelta(minutes=1)


def runs(true: pd.Series, at_least: int = 1) -> list[pd.Timestamp]:
    """Return the start of each run of true cells that has at least so many."""
    number = (true != true.shift(fill_value=False)).cumsum()
    return [run.index[0] for _, run in true.groupby(number) if run.iloc[0] and len(run) >= at_least]


def longest(true: pd.Series) -> int:
    """Return the number of cells of the longest run."""
    number = (true != true.shift(fill_value=False)).cumsum()
    return int(np.max([len(run) if run.iloc[0] else 0 for _, run in true.groupby(number)]))


def unique(truths: Iterable[Truth]) -> list[Truth]:
    """Return each reading once."""
    out: list[Truth] = []
    for truth in truths:
        if truth not in out:
            out.append(truth)
    return out
