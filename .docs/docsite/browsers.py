"""A Chromium that Playwright drives, where the machine has one."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Without them, Chromium would ask the network on its own business.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None where there is none, or no Playwright."""
    if importlib.util.find_spec("playwright") is None:
        return None
    return next((path for path in map(shutil.which, NAMES) if path), None)


@contextmanager
def chromium() -> Iterator[Any]:
    """Yield a browser.

    Raises
    ------
    FileNotFoundError
        If there is no Chromium, or no Playwright.
    """
    path = find_chromium()
    if path is None:
        msg = 'expected a Chromium on the path and Playwright (pip install -e ".[test]"), found not both'
        raise FileNotFoundError(msg)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()
