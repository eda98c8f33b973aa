"""Pictures of every page in its usual, empty, loading and error state: python tests/flow/screenshots.py FOLDER.

For eyes, not for asserting: desktop and phone, light and dark. Pages are those of a small parcel twin, so that nothing
is shown that a reader wouldn't meet.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import queue
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

import twinlab as tl
from twinlab.apps import serve, start
from twinlab.apps.server.server import Served
from twinlab.errors import SourceError
from twinlab.explore.page_registry import pages_for
from twinlab.plant import ParcelSize

STATES = ("usual", "empty", "loading", "error")
SCREENS = {
    "desktop-light": {"viewport": {"width": 1400, "height": 900}, "color_scheme": "light"},
    "desktop-dark": {"viewport": {"width": 1400, "height": 900}, "color_scheme": "dark"},
    "phone-light": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "is_mobile": True},
    "phone-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "is_mobile": True},
}
#: Milliseconds until a page is taken to stand once it has been read.
SETTLED = 4_000
#: Milliseconds that a page may take to be read.
PATIENCE = 60_000
#: Name of the thread that serves a hindered twin.
SERVER = "twinlab-shots"


class Hindered:
    """A twin whose reads first call ``hinder``, which is slow or fails."""

    def __init__(self, twin, hinder: Callable[[], None]) -> None:
        self._twin, self._hinder = twin, hinder
        self.model, self.open_code = twin.model, twin.open_code

    def __getattr__(self, name: str):
        # Only the methods of the protocol; all other attributes are missing.
        if name not in ("history", "events", "assets", "relationships", "steps"):
            raise AttributeError(name)
        read = getattr(self._twin, name)

        def hindered(*given, **named):
            if name != "steps":
                self._hinder()
            return read(*given, **named)

        return hindered


@contextmanager
def served_in(state: str, usual) -> Iterator[str]:
    """URL of the twin whose pages show a state."""
    released = threading.Event()
    with tempfile.TemporaryDirectory(prefix="twinlab-shots-") as folder:
        twin = twin_in(state, usual, released=released, folder=Path(folder) / "empty")
        served = serve_cold(twin) if isinstance(twin, Hindered) else start(twin)
        try:
            yield served.url
        finally:
            released.set()
            served.stop()


def serve_cold(twin: Hindered) -> Served:
    """Serve a twin without preloading: cached data would be shown in every state."""
    told: queue.Queue[Served] = queue.Queue()

    def run() -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        serve(twin, open_browser=False, warm=False, ready=told.put)

    threading.Thread(target=run, name=SERVER, daemon=True).start()
    return told.get(timeout=60)


def twin_in(state: str, usual, *, released: threading.Event, folder: Path):
    """The twin whose pages show a state, until it is released."""

    def wait() -> None:
        # Reads while a page is created would block the server; other reads run in threads.
        if threading.current_thread().name != SERVER:
            released.wait()

    def fail() -> None:
        message = "the disk with the history doesn't answer; check that it's mounted, then try again"
        raise SourceError(message)

    twins = {
        "usual": lambda: usual,
        "empty": lambda: tl.create(folder, model=usual.folder / "twin.yaml", mappings=usual.folder / "mapping"),
        "loading": lambda: Hindered(usual, wait),
        "error": lambda: Hindered(usual, fail),
    }
    return twins[state]()


def take(browser: Browser, url: str, state: str, options: argparse.Namespace) -> None:
    """Take the screenshots of one served twin."""
    for screen in options.screens:
        look = SCREENS[screen]
        if options.tall:
            look = look | {"viewport": look["viewport"] | {"height": options.tall}}
        context = browser.new_context(**look)
        for name in options.pages:
            page = context.new_page()
            page.goto(f"{url}?page={name}")
            settle(page, state, options.wait)
            target = options.folder / f"{name}-{state}-{screen}.png"
            page.screenshot(path=str(target))
            width = page.evaluate("document.documentElement.scrollWidth")
            too_wide = " SCROLLS SIDEWAYS" if width > look["viewport"]["width"] else ""
            sys.stdout.write(f"{target}{too_wide}\n")
            page.close()
        context.close()


def settle(page: Page, state: str, wait: int) -> None:
    """Wait until a page shows its state and doesn't change any more."""
    # The bar is shown (on a phone the rail is hidden); a page that loads fast may show no loading state.
    page.wait_for_selector(".MuiAppBar-root", state="attached", timeout=PATIENCE)
    page.wait_for_timeout(1_000)
    if state != "loading":
        page.wait_for_selector(".tl-reading", state="hidden", timeout=PATIENCE)
    page.wait_for_timeout(wait)


def main() -> None:
    """Take all screenshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", nargs="+", help="now map history events quality (default: all)")
    parser.add_argument("--states", nargs="+", choices=STATES, default=list(STATES))
    parser.add_argument("--screens", nargs="+", choices=list(SCREENS), default=list(SCREENS))
    parser.add_argument("--wait", type=int, default=SETTLED, help=f"milliseconds a page (default {SETTLED})")
    parser.add_argument("--tall", type=int, help="height of all screens, to see what a reader would scroll to")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--hints", action="store_true", help="as a first visitor sees it")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    # The user's own settings aren't changed.
    os.environ["TWINLAB_CONFIG"] = tempfile.mkdtemp(prefix="twinlab-shots-")
    usual = tl.demo("parcel", size=ParcelSize.small())
    if not options.hints:
        from twinlab.apps.frame.settings import settings_for

        settings_for(None, usual.model.twin)["hint_done"] = True
    options.pages = options.pages or [page.name for page in pages_for(usual)]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=options.chromium, args=["--no-sandbox", "--disable-gpu"])
        for state in options.states:
            with served_in(state, usual) as url:
                take(browser, url, state, options)
        browser.close()


if __name__ == "__main__":
    main()
