"""Onset HOBOware: a title line, and headers with unit, zone and serial numbers.

Headers such as ``Temp, °F (LGR S/N: 20111111, SEN S/N: 20111111)`` are read as ``Temp, °F``, so that one mapping fits
the files of all loggers; unit and zone stay in the name, so that a file with another unit or zone isn't read with the
wrong one. The logger's serial number and the plot title are columns of every row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from twinlab.sources.file_format import FileFormat, FileHead
from twinlab.sources.loggers.base import LoggerHeader, LoggerSource, cells_of, text_head

__all__ = ["HOBO", "HoboSource", "is_hobo"]

_TITLE = re.compile(r'\s*"?Plot Title:\s*(.*?)"?\s*$')
_SERIALS = re.compile(r"\s*\((?=[^()]*(?:LGR|SEN) S/N)(?P<inside>[^()]*)\)\s*$")
_PART = re.compile(r"(LGR S/N|SEN S/N|LBL):\s*([^,]+)")
_TIME = re.compile(r"(?i)(date|time|datum|zeit|heure|hora|fecha).*?,\s*(GMT|UTC)\s*[+-]\d\d:?\d\d")
_UNIT = re.compile(r"^(?P<stem>.+?),\s*(?P<unit>[^,()]{1,12})$")
_EVENTS = re.compile(r"(?i)coupler|host connected|stopped|end of file|logged|button|bad battery|good battery|file")


def _split(line: str) -> tuple[str, list[str]]:
    """Return the delimiter of a header and its cells: the one that leaves the cell of the times whole."""
    splits = [(mark, cells_of(line, mark)) for mark in (",", ";", "\t")]
    return max(splits, key=lambda split: (any(map(_TIME.fullmatch, split[1])), len(split[1])))


def _header_row(lines: Sequence[str]) -> int | None:
    """Return the position of the header: the line with serial numbers or a zone."""
    for place, line in enumerate(lines[:3]):
        cells = _split(line)[1]
        if len(cells) > 1 and any(map(_TIME.fullmatch, cells)) and ("S/N" in line or cells[0] == "#"):
            return place
    return None


def is_hobo(head: FileHead) -> bool:
    """Return whether a file has the title line or the header of a HOBOware export."""
    lines = text_head(head)
    return bool(lines) and (_TITLE.match(lines[0]) is not None or _header_row(lines) is not None)


class HoboSource(LoggerSource):
    """An export of HOBOware, with all of its columns, those of logger events too."""

    title = "a HOBOware export"

    def read_header(self, lines: Sequence[str]) -> LoggerHeader:
        """Return the header's names without serial numbers, and the logger."""
        title = _TITLE.match(lines[0])
        place = _header_row(lines)
        if place is None:
            raise self.refused(
                2 if title else 1, 'expected a header such as "#","Date Time, GMT-05:00","Temp, °C (LGR S/N: …)"'
            )
        delimiter, written = _split(lines[place])
        names, serials = _names(written)
        units = [match["unit"] if (match := _UNIT.match(name)) and not _TIME.fullmatch(name) else "" for name in names]
        named = title[1].replace('""', '"') if title else ""
        facts = {"Logger": serials[0] if len(serials) == 1 else named, "Plot Title": named}
        events = tuple(name for name in names if _EVENTS.search(name))
        return LoggerHeader(
            names=names,
            first_row=place + 2,
            delimiter=delimiter,
            units=tuple(units),
            header_rows=(place + 1,),
            heads=((place + 1, written),),
            facts={name: text for name, text in facts.items() if text},
            texts=frozenset(events),
            notes=dict.fromkeys(events, "an event of the logger"),
            events=events,
            ignored={name: "the row's number" for name in names if name == "#"},
            evidence=(
                f"plot title {title[1]!r}" if title else "no plot title",
                f"loggers {', '.join(serials) or 'not named'}",
            ),
        )


def _names(written: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the names without serial numbers, and the loggers' serial numbers in their order.

    Of two columns with one name, each has the sensor's label or serial number behind it.
    """
    parts = [dict(_PART.findall(match["inside"])) if (match := _SERIALS.search(cell)) else {} for cell in written]
    bare = [_SERIALS.sub("", cell) or cell for cell in written]
    several = {name for name, count in Counter(bare).items() if count > 1}
    names = []
    for name, part in zip(bare, parts, strict=True):
        mark = part.get("LBL") or part.get("SEN S/N") or part.get("LGR S/N")
        stem = _UNIT.match(name)
        if name in several and mark:
            name = f"{stem['stem']} {mark.strip()}, {stem['unit']}" if stem else f"{name} {mark.strip()}"  # noqa: PLW2901
        names.append(name)
    serials = dict.fromkeys(part["LGR S/N"].strip() for part in parts if "LGR S/N" in part)
    return tuple(names), list(serials)


HOBO = FileFormat("hobo", HoboSource, recognises=is_hobo, signature=True)
