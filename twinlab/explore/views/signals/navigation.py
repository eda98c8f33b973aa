"""Navigation in time: the windows that were shown, steps by weeks, and following the newest samples."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn
import param

from twinlab.events import position_of
from twinlab.explore.charts.reading import Window, as_window, newest_time
from twinlab.explore.views.signals.parameters import SignalParameters

if TYPE_CHECKING:
    from twinlab.explore.kit.link import Link
    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader

__all__ = ["NewDataCheck", "SignalNavigation", "WindowHistory", "shifted"]

WEEK = np.timedelta64(7, "D").astype("timedelta64[ns]")
#: Period of the updates while following, milliseconds.
FOLLOW_MS = 2_000


class WindowHistory:
    """Windows that were shown, to step back and forward through."""

    def __init__(self) -> None:
        self._past: list[Window | None] = []
        self._future: list[Window | None] = []

    def push(self, window: Window | None) -> None:
        """Remember a window that a new one replaces."""
        self._past.append(window)
        del self._past[:-50]
        self._future.clear()

    def back(self, now: Window | None) -> Window | None:
        """Return the previous window; this one if it's the first."""
        if not self._past:
            return now
        self._future.append(now)
        return self._past.pop()

    def forward(self, now: Window | None) -> Window | None:
        """Return the window from which the user stepped back; this one if there is none."""
        if not self._future:
            return now
        self._past.append(now)
        return self._future.pop()


def shifted(window: Window, by: np.timedelta64) -> Window:
    """Return a window moved in time.

    >>> str(shifted((np.datetime64("2026-01-01", "ns"), np.datetime64("2026-01-02", "ns")), WEEK)[0])[:10]
    '2026-01-08'
    """
    return window[0] + by, window[1] + by


class NewDataCheck:
    """A cheap check for new data, made every few seconds.

    A twin with a position is read only when that has changed; of others, the newest time is read once a minute for all
    readers.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._seen: object = None

    def newest(self, read: Callable[[], np.datetime64 | None]) -> np.datetime64 | None:
        """Return the newest time if it may have changed since the last call, else None."""
        position = position_of(self._shared.twin)
        seen: object = self._shared.latest() if position is None else position
        if seen == self._seen:
            return None
        self._seen = seen
        return read()


class SignalNavigation(SignalParameters):
    """The window of the signal explorer: zoom history, steps by weeks, following the newest samples.

    The parameters are those of `Explorer`.
    """

    def __init__(
        self,
        twin: TwinReader,
        *,
        link: Link | None = None,
        shared: Shared | None = None,
        session: Session | None = None,
        patient: bool = False,
        open_code: str | None = None,
    ) -> None:
        super().__init__(twin, link=link, shared=shared, session=session, patient=patient, open_code=open_code)
        self._history, self._check = WindowHistory(), NewDataCheck(self.shared)
        self._ticker: Any = None

    @property
    def span(self) -> Window | None:
        """Span in which the selected signals have samples."""
        return self._span

    @property
    def shown(self) -> Window | None:
        """The shown span: the window, or everything."""
        return self._span if self.window is None else as_window(*self.window)

    @property
    def _own_window(self) -> Window | None:
        """The window as instants; None for everything."""
        return None if self.window is None else as_window(*self.window)

    def see(self, window: Window | None) -> None:
        """Show a window and add the previous one to the history."""
        self._history.push(self._own_window)
        self.window = window

    def reset(self) -> None:
        """Show everything."""
        self.param.update(brush=None, follow=False)
        self.see(None)

    def step_weeks(self, weeks: int) -> None:
        """Move the window by whole weeks."""
        if self.shown is not None:
            self.see(shifted(self.shown, weeks * WEEK))

    def step_back(self) -> None:
        """Show the window before this one."""
        self.window = self._history.back(self._own_window)

    def step_forward(self) -> None:
        """Show the window from which the user stepped back."""
        self.window = self._history.forward(self._own_window)

    def go_to(self, *, asset_type: str | None = None, assets: Sequence[str] = (), window: Window | None = None) -> None:
        """Select assets (if they have signals) and a window in one step."""
        with self._silently():
            if asset_type in self.param.asset_type.objects:
                changed = self.asset_type != asset_type
                self.asset_type = asset_type
                if changed:
                    self._update_choices()
                known = [a for a in assets if a in self.param.assets.objects]
                self.assets = known or self.assets
            if window is not None:
                self._history.push(self._own_window)
                self.param.update(window=window, follow=False)
        self._selection_changed()

    @param.depends("follow", watch=True)
    def _follow_changed(self) -> None:
        """Update the window every few seconds while following; only a served page has periodic callbacks."""
        if self._ticker is not None:
            self._ticker.stop()
            self._ticker = None
        if self.follow:
            self.update_to_newest()
            if pn.state.curdoc is not None:
                self._ticker = pn.state.add_periodic_callback(self.update_to_newest, period=FOLLOW_MS)

    def update_to_newest(self) -> None:
        """Move the window's end to the newest sample, if there is a newer one."""
        if not self.follow:
            return
        self._guarded(self._follow_newest)

    def look_for_news(self) -> None:
        """Call `update_to_newest`, the present name of this method."""
        warnings.warn("look_for_news is now called update_to_newest", DeprecationWarning, stacklevel=2)
        self.update_to_newest()

    def _follow_newest(self) -> None:
        newest = self._check.newest(self._newest)
        if newest is None:
            return
        if self._span is None or self._span[1] < newest:
            self._span = (newest if self._span is None else self._span[0], newest)
        if self.window is not None and self.shown is not None:
            with self._silently():
                self.window = shifted(self.shown, newest - self.shown[1])
        self._redraw()

    def _newest(self) -> np.datetime64 | None:
        """Return the end of the newest cell of the selected signals."""
        kind, specs = str(self.asset_type), self.twin.model.asset_types[str(self.asset_type)].signals
        times = [
            (newest, specs[signal].cadence_ns)
            for signal in self.signals
            if (newest := newest_time(self.twin, kind, signals=[signal])) is not None
        ]
        return max((when + np.timedelta64(width, "ns") for when, width in times), default=None)
