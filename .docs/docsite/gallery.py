"""Pictures of a twin's pages, made with Chromium, and the page that shows them."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from docsite.browsers import chromium, find_chromium

#: Width and height of a picture, in pixels; a phone's, for the first page.
DESKTOP, PHONE = (1280, 800), (390, 760)
#: Milliseconds that a page may take until it is drawn.
PATIENCE = 60_000
_ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_READING = re.compile(r"^Reading .*…$")
_DRAWN = "() => window.Bokeh && Bokeh.documents.length > 0 && Bokeh.documents.every(one => one.is_idle)"


@dataclass(frozen=True)
class Described:
    """What the README says about a page."""

    label: str
    reader: str
    answers: str


def described(readme: str) -> list[Described]:
    r"""Return the pages of a twin, from the README's table of pages.

    >>> described("| page | for | what it answers |\n|---|---|---|\n| Now | the dispatcher | what is wrong |\n")
    [Described(label='Now', reader='the dispatcher', answers='what is wrong')]
    """
    table = readme.partition("| page | for | what it answers |\n")[2].partition("\n\n")[0]
    return [Described(*(text.strip() for text in row)) for row in _ROW.findall(table) if "---" not in row[0]]


def file_name(label: str, *, narrow: bool = False) -> str:
    """Return the name of a page's picture.

    >>> file_name("Events & KPIs"), file_name("Now", narrow=True)
    ('events-kpis.png', 'now-phone.png')
    """
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-") + ("-phone.png" if narrow else ".png")


def gallery_page(pages: list[Described], pictures: Path) -> str:
    """Return the gallery as Markdown: what each page answers, and its picture where there is one."""
    lines = [
        "# Gallery",
        "",
        "Pages of the demo twin `parcel`, as `twinlab demo parcel` opens them, in a browser or in JupyterLab.",
        "",
    ]
    if not any(pictures.glob("*.png")):
        lines += [
            "```{note}",
            "This site was built without pictures: `python .docs/build.py --pictures` makes them where a Chromium is installed.",
            "```",
            "",
        ]
    for page in pages:
        lines += [f"## {page.label}", "", f"For {page.reader}: {page.answers}.", ""]
        for narrow in (False, True):
            name = file_name(page.label, narrow=narrow)
            if (pictures / name).is_file():
                seen = f"The page {page.label}" + (" on a phone" if narrow else "")
                lines += [
                    f"```{{image}} gallery/{name}",
                    f":alt: {seen}",
                    *([":width: 260px"] if narrow else []),
                    "```",
                    "",
                ]
    return "\n".join(lines) + "\n"


def take_pictures(folder: Path) -> list[str]:
    """Open the pages of the demo twin `parcel` and store a picture of each; return the names of the files.

    The twin is built in the user's cache if it isn't there.
    """
    import twinlab as tl
    from twinlab.apps.server.server import start
    from twinlab.explore.page_registry import pages_for

    folder.mkdir(parents=True, exist_ok=True)
    twin = tl.demo("parcel")
    served = start(twin)
    taken = []
    try:
        with chromium() as browser:
            for place, page in enumerate(pages_for(twin)):
                for narrow in (False, True) if place == 0 else (False,):
                    width, height = PHONE if narrow else DESKTOP
                    visit = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=1)
                    visit.goto(f"{served.url}?page={page.name}", timeout=PATIENCE)
                    visit.wait_for_function(_DRAWN, timeout=PATIENCE)
                    _wait_until_read(visit)
                    # Fonts, and what moves into its place.
                    visit.wait_for_timeout(1500)
                    name = file_name(page.label, narrow=narrow)
                    visit.screenshot(path=folder / name)
                    visit.close()
                    taken.append(name)
    finally:
        served.stop()
    return taken


def _wait_until_read(visit: Any) -> None:
    """Wait until no part of a page says that it is reading."""
    from playwright.sync_api import expect

    expect(visit.get_by_text(_READING).filter(visible=True)).to_have_count(0, timeout=PATIENCE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    if find_chromium() is None:
        sys.exit("expected a Chromium (chromium-headless-shell, chromium or google-chrome) on the path, found none")
    print("\n".join(take_pictures(parser.parse_args().folder)))
