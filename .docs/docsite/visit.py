"""The built site in a browser: nothing comes from outside, pages are drawn within a second, the search finds, phones fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: What a page may ask for, opened as a file.
INSIDE = ("file:", "data:", "blob:", "about:")
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1300, "height": 900}
_SEEN = """() => new Promise(done => new PerformanceObserver((list, one) => {
    for (const entry of list.getEntries()) if (entry.name === 'first-contentful-paint') { one.disconnect(); done(entry.startTime) }
}).observe({type: 'paint', buffered: true}))"""


@dataclass
class Visit:
    """What a browser saw.

    Attributes
    ----------
    faults : list of str
        What is wrong, a line each.
    first_paint : dict
        Page -> milliseconds from the request until something is seen.
    found : dict
        Text that was searched for -> number of results.
    """

    faults: list[str] = field(default_factory=list)
    first_paint: dict[str, float] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)


def visit(browser: Any, site: Path, pages: list[str], *, searched: str) -> Visit:
    """Open pages of a site from the disk, on a desktop and on a phone, and search in it.

    Parameters
    ----------
    browser : Browser
        Of Playwright's sync API.
    site : Path
        Folder of the HTML files.
    pages : list of str
        Which of them, such as ``"index.html"``.
    searched : str
        What is searched for; no result is a fault.
    """
    seen = Visit()
    for size, scheme in ((DESKTOP, "light"), (PHONE, "dark")):
        context = browser.new_context(viewport=size, color_scheme=scheme)
        page = context.new_page()
        _listen(page, seen)
        for name in pages:
            page.goto((site / name).resolve().as_uri())
            took = page.evaluate(_SEEN)
            seen.first_paint[name] = max(took, seen.first_paint.get(name, 0.0))
            wide = page.evaluate("() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
            if wide > 0:
                seen.faults.append(f"{name}: {wide} pixels wider than a screen of {size['width']}")
        context.close()
    page = browser.new_page(viewport=DESKTOP)
    _listen(page, seen)
    seen.found[searched] = _search(page, site, searched)
    if not seen.found[searched]:
        seen.faults.append(f"search.html: nothing found for {searched!r}")
    seen.faults = list(dict.fromkeys(seen.faults))
    return seen


def _listen(page: Any, seen: Visit) -> None:
    """Note requests to other machines and errors of scripts."""

    def name() -> str:
        return page.url.rpartition("/")[2]

    page.on(
        "request",
        lambda one: None if one.url.startswith(INSIDE) else seen.faults.append(f"{name()}: asks for {one.url}"),
    )
    page.on("console", lambda one: seen.faults.append(f"{name()}: {one.text}") if one.type == "error" else None)
    page.on("pageerror", lambda one: seen.faults.append(f"{name()}: {one}"))


def _search(page: Any, site: Path, searched: str) -> int:
    """Search from the first page, as a reader does; return how many results there are."""
    page.goto((site / "index.html").resolve().as_uri())
    page.locator(".sidebar-search").first.fill(searched)
    page.keyboard.press("Enter")
    page.locator("#search-results .search-summary").wait_for()
    # Results are added one by one after the summary.
    page.wait_for_function("() => !/^Search(ing|$)/.test(document.querySelector('#search-results h2').textContent)")
    return int(page.locator("#search-results ul.search > li").count())
