"""A run in a thread of its own, so that the page can be used meanwhile; it can be cancelled."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import panel as pn
from panel.io.state import set_curdoc

from twinlab.errors import TwinlabError
from twinlab.languages import current_language, using

if TYPE_CHECKING:
    from bokeh.document import Document

__all__ = ["BackgroundRun", "fit_ahead"]

_PAUSE = 0.4

_Step = TypeVar("_Step")


class BackgroundRun(Generic[_Step]):
    """Call a function that takes ``progress`` and ``cancel``, and report on the page's own thread.

    Without a served page (a notebook, a script) it runs at once, and reports as it goes on.

    Parameters
    ----------
    compute : callable
        Called with ``progress=`` and ``cancel=``.
    on_progress : callable
        Called with a list of what ``progress`` was called with; every one is passed on, in order, on the page's thread.
    on_end : callable
        Called with what ``compute`` returned and None, or with None and the text of the error.
    pause : float
        Seconds between two updates of the page.
    """

    def __init__(
        self,
        compute: Callable[..., Any],
        *,
        on_progress: Callable[[list[_Step]], None],
        on_end: Callable[[Any, str | None], None],
        pause: float = _PAUSE,
    ) -> None:
        self._pause = pause
        self._compute, self._on_progress, self._on_end = compute, on_progress, on_end
        self._cancel = threading.Event()
        self._document = pn.state.curdoc
        # Of the reader: a thread of its own has none.
        self._language = current_language()
        self._waiting: list[_Step] = []
        self._lock = threading.Lock()
        self._shown = 0.0

    def start(self) -> None:
        """Begin; returns at once on a served page."""
        if self._document is None:
            self._run()
        else:
            threading.Thread(target=self._run, name="background run", daemon=True).start()

    def cancel(self) -> None:
        """Stop after the chunks that are being computed."""
        self._cancel.set()

    def _run(self) -> None:
        try:
            with using(self._language):
                found, fault = self._compute(progress=self._chunk, cancel=self._cancel), None
        except TwinlabError as error:
            found, fault = None, str(error)
        except Exception as error:  # noqa: BLE001  (a thread's error would be lost, and the page would wait for ever)
            found, fault = None, f"{type(error).__name__}: {error}"
        self._later(self._report)
        self._later(lambda: self._on_end(found, fault))

    def _chunk(self, progress: _Step) -> None:
        with self._lock:
            self._waiting.append(progress)
            due = time.monotonic() - self._shown >= self._pause
            if due:
                self._shown = time.monotonic()
        if due:
            self._later(self._report)

    def _report(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
        if waiting:
            self._on_progress(waiting)

    def _later(self, action: Callable[[], None]) -> None:
        """Do something on the page's thread; at once without a page. Of a page that was closed, it isn't done."""
        if self._document is None:
            action()
        elif self._document.session_context is not None:
            self._document.add_next_tick_callback(partial(_in_document, self._document, action))


def _in_document(document: Document, action: Callable[[], None]) -> None:
    """Do something with its own document as the current one, whichever page's context the callback was made in."""
    with set_curdoc(document):
        action()


def fit_ahead(fit: Callable[[], object]) -> None:
    """Call a function in a thread of its own, on a served page only; the run that needs its result reports what is wrong."""
    if pn.state.curdoc is None:
        return

    def fitted() -> None:
        with contextlib.suppress(TwinlabError):
            fit()

    threading.Thread(target=fitted, name="background fit", daemon=True).start()
