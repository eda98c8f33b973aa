"""Campbell Scientific: TOA5, its predecessor TOACI1, and TOB tables that were converted to text.

The first line is the environment: format, station, logger model, serial number, operating system, program, signature,
table. Names follow, and in TOA5 units and processing (``Avg``, ``Min``, ``Tot``, ``Smp`` ...). Converted TOB files may
have a fifth line with the storage types.

References
----------
.. [1] Campbell Scientific, "LoggerNet User's Manual", appendix "Campbell Scientific File Formats".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from twinlab.sources.base import unique_names
from twinlab.sources.file_format import FileFormat, FileHead
from twinlab.sources.loggers.base import LoggerHeader, LoggerSource, cells_of, text_head
from twinlab.sources.parsing.layout import Row

__all__ = ["TOA5", "Toa5Source", "is_toa5"]

_SIGNATURE = re.compile(r'"?(TOA5|TOACI1|TOB[123])"?[,;\t]')
_TYPES = re.compile(r"(?i)(ieee[48][lb]?|fp2|fp4|u?int[248]|u?long|bool[248]?|ascii\(\d+\)|secnano|nsec|)")
_RECORD = re.compile(r"(?i)record|recnbr|recnum")
#: The first cell of a row of data: a time, a count of seconds, or a record number.
_DATA = re.compile(r"\d")
_PROCESSING = {
    "avg": "mean over the logger's interval", "min": "minimum over the logger's interval",
    "max": "maximum over the logger's interval", "tot": "total over the logger's interval",
    "smp": "value at the end of the logger's interval", "std": "standard deviation over the logger's interval",
    "med": "median over the logger's interval", "wvc": "vector mean of the wind", "cov": "covariance",
}  # fmt: skip


def is_toa5(head: FileHead) -> bool:
    """Return whether a file starts with the environment line of a Campbell logger."""
    lines = text_head(head)
    return bool(lines) and _SIGNATURE.match(lines[0]) is not None


class Toa5Source(LoggerSource):
    """A table of a Campbell logger; its station is a column of every row."""

    title = "a Campbell TOA5 table"

    def read_header(self, lines: Sequence[str]) -> LoggerHeader:
        """Return names, units and processing from the lines below the environment."""
        found = _SIGNATURE.match(lines[0])
        if found is None:
            raise self.refused(1, 'expected a first line such as "TOA5","station",...')
        delimiter = lines[0][found.end() - 1]
        environment = cells_of(lines[0], delimiter)
        rows = [(number, cells_of(line, delimiter)) for number, line in enumerate(lines[1:6], start=2)]
        if not any(rows[0][1] if rows else []) or _DATA.match(rows[0][1][0]):
            raise self.refused(2, "expected the names of the columns below the environment line")
        names = unique_names(rows[0][1])
        below: list[Row] = []
        for row in rows[1:]:
            if _DATA.match(row[1][0]) or len(row[1]) != len(names) or len(below) == 3:
                break
            below.append(row)
        if found[1] != "TOACI1" and len(below) < 2:
            raise self.refused(3 + len(below), f"expected {len(names)} cells each in the lines of units and processing")
        if found[1].startswith("TOB") and "\ufffd" in "".join(lines[5:8]):
            raise self.refused(6, "the rows are binary; expected text: convert the table with CardConvert to TOA5")
        units = tuple(below[0][1]) if below and found[1] != "TOACI1" else ()
        processing = below[1][1] if len(below) > 1 else []
        last = below[-1][0] if below else 2
        stated = {name: word for name, word in zip(names, processing, strict=False) if word}
        ignored = {name: "the logger's record number" for name in names if _RECORD.fullmatch(name)}
        return LoggerHeader(
            names=tuple(names),
            first_row=last + 1,
            delimiter=delimiter,
            units=tuple("" if unit in {"TS", "RN"} else unit for unit in units),
            header_rows=(2,),
            units_row=3 if units else 0,
            heads=((1, environment), *rows[:1], *below),
            facts={"station": environment[1]} if len(environment) > 1 and environment[1] else {},
            notes={name: _PROCESSING.get(word.casefold(), f"processing {word}") for name, word in stated.items()},
            ignored=ignored,
            evidence=(f"station {environment[1]!r}" if len(environment) > 1 else "no station",),
        )


TOA5 = FileFormat("toa5", Toa5Source, recognises=is_toa5, signature=True)
