"""Follow, pause, and back into history: what the Now page of a live twin shows, and when it changes."""

from __future__ import annotations

import asyncio
import logging
import shlex
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.cache import TimedValue
from twinlab.explore.kit.exception_text import LabelsByType
from twinlab.explore.pages.now.live.bar import LiveBar, Mode
from twinlab.explore.pages.now.live.freshness import Freshness, Key, read_freshness
from twinlab.languages import current_language

if TYPE_CHECKING:
    from twinlab.explore.kit.live.live_twins import LiveTwin
    from twinlab.explore.kit.session import Shared

__all__ = ["Follow"]

_LOG = logging.getLogger(__name__)
#: For how long a reading of the freshness is valid.
_SECONDS = 1.0


class Follow:
    """Mode and freshness of a live Now page, with its bar (``bar.pane``).

    Parameters
    ----------
    twin : LiveTwin
    shared : Shared
    on_change : callable
        Called with the instant that the page shows from now on, None for the present, after a button was pressed.
    """

    def __init__(self, twin: LiveTwin, shared: Shared, *, on_change: Callable[[np.datetime64 | None], object]) -> None:
        self._twin, self._shared, self._on_change = twin, shared, on_change
        self._found: Freshness | None = None
        # Freshness and instant of the rows that don't change while the page is paused.
        self._held: Freshness | None = None
        self._rows_at: np.datetime64 | None = None
        self._chosen: np.datetime64 | None = None
        kinds = twin.model.asset_types
        self.bar = LiveBar(
            titles={name: one.title or readable_name(name) for name, one in kinds.items()},
            labels=LabelsByType(shared),
            command=f"twinlab run {shlex.quote(str(getattr(twin, 'folder', 'TWIN')))}",
            on_pause=self.pause,
            on_live=self.live,
            on_step=self.step,
        )

    @property
    def mode(self) -> Mode:
        """Whether the page is live, paused or back in history."""
        if self._chosen is not None:
            return "back"
        return "live" if self._held is None else "paused"

    @property
    def paused_at(self) -> np.datetime64 | None:
        """Instant of the rows that don't change; None if the page isn't paused."""
        return self._rows_at if self.mode == "paused" else None

    @property
    def of_rows(self) -> Freshness | None:
        """Freshness that belongs to the rows and the map; None back in history, where it isn't known."""
        return None if self._chosen is not None else self._held or self._found

    @property
    def texts(self) -> Mapping[Key, str]:
        """State and age of the last row of each asset."""
        return {} if self.of_rows is None else self.of_rows.texts

    @property
    def stale(self) -> Mapping[Key, str]:
        """State and age of the assets that aren't live."""
        return {} if self.of_rows is None else self.of_rows.stale

    def read(self) -> Freshness:
        """Return the freshness of the present; one reading for all readers of the twin within a second."""
        # Ages and the state of the historian change although the twin's position doesn't.
        value = self._shared.cached(("freshness", current_language()), lambda: TimedValue(_SECONDS))
        return value.get(lambda: read_freshness(self._twin))

    def show(self, found: Freshness, *, at: np.datetime64 | None, chosen: np.datetime64 | None) -> None:
        """Show the freshness of the present, and the instant of the page.

        Parameters
        ----------
        found : Freshness
        at : datetime64 or None
            Instant of the rows; None without data.
        chosen : datetime64 or None
            Instant that the reader has chosen; None for the present.
        """
        self._found, self._rows_at, self._chosen = found, at, chosen
        self.bar.show(self.mode, found, at=at)

    async def refresh(self, *, at: np.datetime64 | None, chosen: np.datetime64 | None) -> None:
        """Read the freshness of the present in a thread and show it; after an error what was shown stays."""
        try:
            found = await asyncio.to_thread(self.read)
        except READING_ERRORS:
            _LOG.exception("the freshness can't be read")
        else:
            self.show(found, at=at, chosen=chosen)

    def release(self) -> None:
        """End a pause, since another instant is shown."""
        self._held = None

    def pause(self) -> None:
        """Keep rows and map as they are."""
        if self._found is not None and self.mode == "live":
            self._held = self._found
            self.bar.show("paused", self._found, at=self._rows_at)
            self._on_change(None)

    def live(self) -> None:
        """Follow the newest data again."""
        self.release()
        self._on_change(None)

    def step(self, seconds: int) -> None:
        """Show an earlier or a later instant than the present one; the newest data if it would be later than them."""
        if self._rows_at is None:
            return
        wanted = self._rows_at + np.timedelta64(seconds, "s")
        newest = self._shared.latest()
        self.release()
        self._on_change(None if newest is not None and wanted >= newest else wanted)
