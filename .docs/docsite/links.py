"""Broken links of built pages: targets and anchors inside, the form of addresses outside, and what is loaded from outside."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

_TAG = re.compile(r"<(a|link|script|img|source|iframe|form|object|video)\b([^>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ID = re.compile(r"""\s(?:id|name)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_STYLE_ADDRESS = re.compile(r"""(?:url\(\s*['"]?|@import\s+['"])((?:https?:)?//[^'")\s]+)""", re.IGNORECASE)
_RAW = re.compile(r"<(script|style)\b([^>]*)>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
#: A name with a dot, an address of loopback, or the domain reserved for examples.
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}|localhost|\d{1,3}(?:\.\d{1,3}){3}", re.IGNORECASE)


@dataclass
class Page:
    """One HTML file, read once."""

    path: Path
    text: str = field(repr=False)

    @cached_property
    def anchors(self) -> set[str]:
        """What a link to the page can name behind ``#``."""
        return {html.unescape(first or second) for first, second in _ID.findall(self.text)}

    def references(self) -> Iterator[tuple[str, str]]:
        """Yield what the page links to (``a``) or loads, with the name of the tag."""
        # Contents of scripts and styles are no tags; their own address is.
        text = _RAW.sub(lambda raw: f"<{raw[1]}{raw[2]}>", self.text)
        for tag, attributes in _TAG.findall(text):
            values = {name.lower(): html.unescape(one or two) for name, one, two in _ATTRIBUTE.findall(attributes)}
            if tag.lower() == "link" and values.get("rel") == "canonical":
                continue
            for name in ("href", "src", "data", "action"):
                if name in values:
                    yield tag.lower(), values[name]


def broken_links(site: Path) -> list[str]:
    """Return the faults of all pages of a site, each with its page and target, sorted.

    Parameters
    ----------
    site : Path
        Folder of the HTML files. Nothing outside it is read, and nothing is asked from a network.

    Returns
    -------
    list of str
        ``page: fault: target``. A target that doesn't exist, an anchor that its page doesn't have, an address whose form
        is wrong, and a script, style, font or picture that would come from outside.
    """
    pages = {path.resolve(): Page(path, path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for page in pages.values():
        name = page.path.relative_to(site).as_posix()
        for tag, target in dict.fromkeys(page.references()):
            fault = _fault(page, tag, target, pages, site.resolve())
            if fault:
                found.append(f"{name}: {fault}: {target}")
    for sheet in sorted(site.rglob("*.css")):
        name = sheet.relative_to(site).as_posix()
        addresses = _STYLE_ADDRESS.findall(sheet.read_text(encoding="utf-8"))
        found += [f"{name}: loaded from outside: {target}" for target in addresses]
    return sorted(found)


def _fault(page: Page, tag: str, target: str, pages: dict[Path, Page], site: Path) -> str | None:
    """Return what is wrong with one target, or None."""
    try:
        parts = urlsplit(target)
    except ValueError as error:
        return f"no address ({error})"
    if parts.scheme in ("http", "https") or target.startswith("//"):
        if tag != "a":
            return "loaded from outside"
        return None if _HOST.fullmatch(parts.hostname or "") and " " not in target else "no address"
    if parts.scheme:
        return None if parts.scheme in ("mailto", "data") else f"a scheme that pages don't use ({parts.scheme})"
    path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path.resolve()
    if not path.is_relative_to(site):
        return "outside of the site"
    if not path.is_file():
        return "no such file"
    anchor = unquote(parts.fragment)
    if anchor and path in pages and anchor not in pages[path].anchors:
        return "no such anchor"
    return None
