"""Davis WeatherLink: exports of the desktop program (names over two lines) and of weatherlink.com (units in the names)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from twinlab.sources.base import unique_names
from twinlab.sources.file_format import FileFormat, FileHead
from twinlab.sources.loggers.base import LoggerHeader, LoggerSource, cells_of, text_head

__all__ = ["WEATHERLINK", "WeatherLinkSource", "is_weatherlink"]

_WORD = re.compile(r"\S+")
_RULER = re.compile(r"[-=\s]*")
_UNIT = re.compile(r"^(?P<stem>.+?) - (?P<unit>[^-]{1,12})$")
#: Words of the upper line of names, of which some are in every export of the desktop program.
_UPPER = frozenset({"temp", "hi", "low", "out", "dew", "wind", "heat", "rain", "in", "solar"})


def _desktop(lines: Sequence[str]) -> bool:
    if len(lines) < 3:
        return False
    upper = [word.casefold() for word in lines[0].split()]
    lower = [word.casefold() for word in lines[1].split()]
    return len(upper) > 2 and len(_UPPER & set(upper)) >= 3 and lower[:2] == ["date", "time"]


def _web_row(lines: Sequence[str]) -> int | None:
    """Return the position of the names of an export of weatherlink.com."""
    for place, line in enumerate(lines[:12]):
        cells = cells_of(line)
        if len(cells) > 1 and cells[0] == "Date & Time" and any(map(_UNIT.match, cells[1:])):
            return place
    return None


def is_weatherlink(head: FileHead) -> bool:
    """Return whether a file has the names of a WeatherLink export."""
    lines = text_head(head)
    return _desktop(lines) or _web_row(lines) is not None


class WeatherLinkSource(LoggerSource):
    """An export of WeatherLink; the desktop program doesn't state units."""

    title = "a WeatherLink export"

    def read_header(self, lines: Sequence[str]) -> LoggerHeader:
        """Return the names of either kind of export."""
        place = _web_row(lines)
        if place is not None:
            return self._web(lines, place)
        if not _desktop(lines):
            raise self.refused(1, 'expected "Date & Time" or two lines of names, the second with Date and Time')
        ruled = bool(lines[2].strip()) and _RULER.fullmatch(lines[2]) is not None
        delimiter = "\t" if "\t" in lines[1].strip() else " "
        names = _tabbed(lines) if delimiter == "\t" else _aligned(lines[0], lines[1])
        return LoggerHeader(
            names=tuple(unique_names(names)),
            first_row=4 if ruled else 3,
            delimiter=delimiter,
            header_rows=(1, 2),
            heads=tuple(
                (number, cells_of(lines[number - 1], delimiter) if delimiter == "\t" else lines[number - 1].split())
                for number in (1, 2)
            ),
            evidence=("names in rows 1 and 2; units are not stated",),
        )

    def _web(self, lines: Sequence[str], place: int) -> LoggerHeader:
        names = unique_names(cells_of(lines[place]))
        station = cells_of(lines[0])[0] if place else ""
        return LoggerHeader(
            names=tuple(names),
            first_row=place + 2,
            units=tuple(match["unit"] if (match := _UNIT.match(name)) else "" for name in names),
            header_rows=(place + 1,),
            heads=((place + 1, cells_of(lines[place])),),
            facts={"station": station} if station else {},
            evidence=(f"{place} lines above the names", f"station {station!r}" if station else "no station"),
        )


def _tabbed(lines: Sequence[str]) -> list[str]:
    upper, lower = cells_of(lines[0], "\t"), cells_of(lines[1], "\t")
    width = max(len(upper), len(lower))
    upper, lower = upper + [""] * (width - len(upper)), lower + [""] * (width - len(lower))
    return [f"{one} {other}".strip() for one, other in zip(upper, lower, strict=True)]


def _aligned(upper: str, lower: str) -> list[str]:
    """Return names whose two words are written one below the other, right-aligned."""
    names = [(found.end(), found.group()) for found in _WORD.finditer(lower)]
    above: dict[int, str] = {}
    for found in _WORD.finditer(upper):
        nearest = min(range(len(names)), key=lambda place: abs(names[place][0] - found.end()))
        above[nearest] = f"{above.get(nearest, '')} {found.group()}".strip()
    return [f"{above.get(place, '')} {name}".strip() for place, (_, name) in enumerate(names)]


WEATHERLINK = FileFormat("weatherlink", WeatherLinkSource, recognises=is_weatherlink, signature=True)
