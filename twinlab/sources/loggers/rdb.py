"""USGS RDB: comments, names, a line of formats (``5s 20d 14n``), rows. Columns are named after parameter codes.

References
----------
.. [1] U.S. Geological Survey, "Water data for the nation: tab-delimited (RDB) format" and "Parameter codes".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from twinlab.model.quantities.codes import parameter_code
from twinlab.sources.base import unique_names
from twinlab.sources.file_format import FileFormat, FileHead
from twinlab.sources.loggers.base import LoggerHeader, LoggerSource, cells_of, text_head

__all__ = ["RDB", "RdbSource", "is_rdb"]

_FORMAT = re.compile(r"\d+[sdn]")
_DESCRIBED = re.compile(r"#\s+(?:\d+\s+)?(?P<code>\d{5})\s+(?:(?P<statistic>\d{5})\s+)?(?P<text>\S.*\S)\s*$")
_STATISTICS = {"00001": "maximum", "00002": "minimum", "00003": "mean", "00006": "sum", "00008": "median"}
_UNIT_TEXTS = {
    "degrees celsius": "deg C", "degrees fahrenheit": "deg F", "cubic feet per second": "ft3/s", "feet": "ft",
    "inches": "in", "milligrams per liter": "mg/L", "feet per second": "ft/s", "percent": "%", "miles per hour": "mph",
    "meters per second": "m/s", "meters": "m",
}  # fmt: skip


def _format_row(lines: Sequence[str]) -> tuple[int, str] | None:
    """Return the position of the line of formats, below the names, and the delimiter."""
    for place, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        names, below = line, lines[place + 1] if place + 1 < len(lines) else ""
        for delimiter in ("\t", ",", ";"):
            formats = cells_of(below, delimiter)
            fits = len(formats) > 1 and len(formats) == len(cells_of(names, delimiter))
            if fits and all(map(_FORMAT.fullmatch, formats)):
                return place + 1, delimiter
        return None
    return None


def is_rdb(head: FileHead) -> bool:
    """Return whether a file has a line of RDB formats below its names."""
    return _format_row(text_head(head)) is not None


class RdbSource(LoggerSource):
    """A table of the U.S. Geological Survey; columns of the format ``s`` are texts."""

    title = "a USGS RDB table"

    def read_header(self, lines: Sequence[str]) -> LoggerHeader:
        """Return names, units of the parameter codes, and the kinds of the columns."""
        found = _format_row(lines)
        if found is None:
            at = next((number for number, line in enumerate(lines, 1) if line and not line.startswith("#")), 1)
            raise self.refused(at + 1, "expected a line of formats such as 5s, 20d, 14n below the names of the columns")
        place, delimiter = found
        written, formats = cells_of(lines[place - 1], delimiter), cells_of(lines[place], delimiter)
        names = unique_names(written)
        described = _descriptions(lines[: place - 1])
        notes, units = {}, []
        for name in names:
            code = parameter_code(name)
            text, unit = described.get(name, (code.title if code else "", ""))
            units.append(unit or (code.unit if code else ""))
            if text:
                notes[name] = text
        kinds = dict(zip(names, formats, strict=True))
        return LoggerHeader(
            names=tuple(names),
            first_row=place + 2,
            delimiter=delimiter,
            units=tuple(units),
            header_rows=(place,),
            heads=((place, written), (place + 1, formats)),
            numbers=frozenset(name for name, kind in kinds.items() if kind.endswith("n")),
            texts=frozenset(name for name, kind in kinds.items() if kind.endswith("s")),
            notes=notes,
            evidence=(f"{place - 1} comment lines above the names", f"formats in row {place + 1}"),
        )


def _descriptions(comments: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return column -> description and unit, from comments such as ``# 69928  00010  Temperature, water, degrees Celsius``."""
    found = {}
    for line in comments:
        match = _DESCRIBED.match(line)
        if match is None:
            continue
        words = re.sub(r"\s+", " ", match["text"])
        last = re.sub(r"\s*\((?:Mean|Maximum|Minimum|Sum|Median)\)$", "", words).rpartition(", ")[2]
        unit = _UNIT_TEXTS.get(last.casefold(), "")
        series = line.split()[1]
        name = "_".join(part for part in (series if series != match["code"] else "", match["code"]) if part)
        if match["statistic"]:
            name += f"_{match['statistic']}"
            words += (
                "" if "(" in words else f" ({_STATISTICS.get(match['statistic'], 'statistic ' + match['statistic'])})"
            )
        found[name] = (words, unit)
    return found


RDB = FileFormat("rdb", RdbSource, (".rdb",), recognises=is_rdb, signature=True)
