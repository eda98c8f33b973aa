"""What views stand on: what all readers of one twin share, and what is one reader's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from twinlab.events import KeptReader
from twinlab.explore.charts.choices import Choices, asset_labels
from twinlab.explore.charts.reading import latest_time
from twinlab.explore.kit.cache import Kept
from twinlab.explore.kit.event_tables import EventTables

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from twinlab.model.reader import TwinReader

__all__ = ["Session", "Shared"]

_T = TypeVar("_T")


class Shared:
    """Tables, labels and the newest time of a twin, so that a second reader costs little."""

    def __init__(self, twin: TwinReader, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.twin = twin
        self.tables = EventTables(twin, clock=clock)
        self._kept = Kept(twin, clock=clock)

    @cached_property
    def choices(self) -> Choices:
        """What can be drawn."""
        return Choices(self.twin)

    @cached_property
    def reader(self) -> KeptReader:
        """The twin with its tables kept at hand for as long as it doesn't move."""
        return KeptReader(self.twin)

    def latest(self) -> np.datetime64 | None:
        """Return the time of the newest sample, None if there is none."""
        return self.kept("latest", lambda: latest_time(self.twin))

    def labels(self, asset_type: str) -> dict[str, str]:
        """Return asset -> the name people use, of all assets of a type."""
        return self.kept(("labels", asset_type), lambda: asset_labels(self.twin, asset_type))

    def relationships(self, name: str) -> pd.DataFrame:
        """Return the links of one type."""
        return self.reader.relationships(name)

    def kept(self, key: Hashable, read: Callable[[], _T]) -> _T:
        """Return what ``read`` gave under ``key`` when it was last asked for, or read it if the twin may have news."""
        return self._kept.get(key, read)


@dataclass(frozen=True)
class Session:
    """One reader of a twin: who it is, and what they have set for themselves."""

    #: Name of the person; "" where nobody has to say who they are.
    user: str = ""
    #: Kept for this person: columns of a table, a hint that was put away ... Values are what JSON can hold.
    settings: MutableMapping[str, object] = field(default_factory=dict)
