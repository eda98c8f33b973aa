"""A twin whose tables are kept at hand for as long as it doesn't move."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["KeptReader", "kept_reader", "position_of"]

_T = TypeVar("_T")
_FRESH_SECONDS = 60.0
#: A page reads many tables at once: the twin's position, which looks into files, is asked for this often at most.
_LOOKED_SECONDS = 1.0


class KeptReader:
    """A `TwinReader` that keeps events, assets and relationships, and what was computed from them.

    What is kept is dropped within a second after the twin's position moves; of a twin that doesn't tell its position,
    after a minute. History is read anew each time. Everything else is the twin's own. Treat the tables as read-only: they're shared.

    Parameters
    ----------
    twin : TwinReader
    clock : callable, optional
        Seconds, rising.
    """

    def __init__(self, twin: TwinReader, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._twin = twin
        self._clock = clock
        self._kept: dict[Hashable, Any] = {}
        self._stamp: object = None
        self._looked = float("-inf")
        # One reading at a time: who comes second finds it read. Remembered things may build on others.
        self._lock = threading.RLock()

    @property
    def model(self) -> TwinModel:
        """The twin's words."""
        return self._twin.model

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the history of one asset type."""
        return self._twin.history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)

    def events(self, event_type: str, *, start: object = None, stop: object = None) -> pd.DataFrame:
        """Return the events of one type."""
        if start is not None or stop is not None:
            return self._twin.events(event_type, start=start, stop=stop)
        return self.remember(("events", event_type), lambda: self._twin.events(event_type))

    def assets(self, asset_type: str) -> pd.DataFrame:
        """Return the assets of one type."""
        return self.remember(("assets", asset_type), lambda: self._twin.assets(asset_type))

    def relationships(self, relationship: str) -> pd.DataFrame:
        """Return the links of one type."""
        return self.remember(("relationships", relationship), lambda: self._twin.relationships(relationship))

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        """Return the steps at which rollups of a signal stand ready, finest first."""
        return self._twin.steps(asset_type, signal)

    def remember(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """Return what was made under a key, made now if it isn't there or the twin has moved since."""
        with self._lock:
            if self._clock() - self._looked >= _LOOKED_SECONDS:
                stamp = self._position()
                self._looked = self._clock()
                if stamp != self._stamp:
                    self._kept.clear()
                    self._stamp = stamp
            if key not in self._kept:
                self._kept[key] = make()
            return cast("_T", self._kept[key])

    def _position(self) -> object:
        position = position_of(self._twin)
        return self._clock() // _FRESH_SECONDS if position is None else position

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever else the twin can do)
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._twin, name)


def kept_reader(twin: TwinReader) -> KeptReader:
    """Return a twin that reads each of its tables once: itself if it does so already."""
    return twin if isinstance(twin, KeptReader) else KeptReader(twin)


def remember(twin: TwinReader, key: Hashable, make: Callable[[], _T]) -> _T:
    """Return what a `KeptReader` remembers under a key; made anew for any other twin."""
    return twin.remember(key, make) if isinstance(twin, KeptReader) else make()


def position_of(twin: TwinReader) -> object:
    """Return how far a twin has read, to be compared with what it says later; None if it doesn't tell."""
    position = getattr(getattr(twin, "reader", twin), "position", None)
    return position() if callable(position) else None
