"""OSIsoft PI: exports in which digital states (``Bad Input``, ``I/O Timeout``, ``No Data`` ...) occur among numbers.

The states stay in the column of texts that belongs to the column of numbers; a mapping may list them as ``missing``.

References
----------
.. [1] OSIsoft, "PI Server Reference Guide", system digital state set.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from twinlab.sources.file_format import FileFormat, FileHead
from twinlab.sources.loggers.base import LoggerHeader, LoggerSource, cells_of, text_head
from twinlab.sources.parsing.numerals import PLAIN, number_test

__all__ = ["DIGITAL_STATES", "PI", "PiSource", "is_pi"]

_STATES_TEXT = """
access denied|no result|unit down|sample bad|equip fail|no lab data|bad|bad data|bad input|bad output|bad quality
bad total|bad_quality|bad_val|calc crash|calc failed|calc off|calc overflow|calc timeout|comm error|comm fail
configure|cos failed|dcs failed|device fail|doubtful|error|failed|i/o timeout|inp out of range|intf shut|intf-shut
invalid data|invalid float|no alarm|no data|no input|no sample|not connect|not converge|out of service|out of serv
over range|over uc|overflow|point created|ptcreated|pt created|range error|retry timeout|scan off|scan timeout
shutdown|snapfix|substituted|unauthorized|under lcl|under range|tagnotfound|tag not found|no access - secure
arc off-line|arc offline|arctimeout|setpntreached
"""
#: States of PI's system digital set that are no values, in lower case.
DIGITAL_STATES = frozenset(text.strip() for line in _STATES_TEXT.strip().splitlines() for text in line.split("|"))
#: States that no other system writes: one of them proves the format.
_SURE = frozenset({"bad input", "i/o timeout", "pt created", "scan off", "calc failed", "intf shut", "arc off-line", "not connect"})  # fmt: skip
_TIME = re.compile(r"(?i)time|date|stamp|zeit")
_ROWS = 400


def _header(lines: Sequence[str]) -> tuple[int, str, list[str]] | None:
    """Return position, delimiter and names of the header: the first row with a time among names without numbers."""
    for place, line in enumerate(lines[:5]):
        for delimiter in ("\t", ";", ","):
            cells = cells_of(line, delimiter)
            if len(cells) > 1 and any(map(_TIME.search, cells)) and not any(map(number_test(PLAIN), cells)):
                return place, delimiter, cells
    return None


def _rows(lines: Sequence[str], place: int, delimiter: str) -> list[list[str]]:
    return [cells_of(line, delimiter) for line in lines[place + 1 : place + 1 + _ROWS] if line.strip()]


def is_pi(head: FileHead) -> bool:
    """Return whether a table of times has digital states of PI among its numbers."""
    lines = text_head(head)
    found = _header(lines) if any(state in head.first_bytes.lower() for state in map(str.encode, _SURE)) else None
    if found is None:
        return False
    place, delimiter, names = found
    rows = [row for row in _rows(lines, place, delimiter) if len(row) == len(names)]
    states = [place for row in rows for place, cell in enumerate(row) if cell.casefold() in _SURE]
    return any(_is_number_column([row[place] for row in rows]) for place in set(states))


def _is_number_column(cells: Sequence[str]) -> bool:
    """Return whether the cells other than states are numbers, but for a tenth."""
    is_number = number_test(PLAIN)
    others = [cell for cell in cells if cell and cell.casefold() not in DIGITAL_STATES]
    numbers = [cell for cell in others if is_number(cell)]
    zero_led = any(re.fullmatch(r"[+-]?0\d+", cell) for cell in numbers)
    return bool(numbers) and not zero_led and len(numbers) >= 0.9 * len(others)


class PiSource(LoggerSource):
    """An export of PI, wide or long; columns with digital states among numbers are numbers."""

    title = "a PI export"

    def read_header(self, lines: Sequence[str]) -> LoggerHeader:
        """Return the names, and the columns of numbers."""
        found = _header(lines)
        if found is None:
            raise self.refused(1, "expected a header with a column of times")
        place, delimiter, written = found
        rows = [row for row in _rows(lines, place, delimiter) if len(row) == len(written)]
        numbers = {name for at, name in enumerate(written) if _is_number_column([row[at] for row in rows])}
        states = sorted({cell for row in rows for cell in row if cell.casefold() in DIGITAL_STATES})
        return LoggerHeader(
            names=tuple(written),
            first_row=place + 2,
            delimiter=delimiter,
            header_rows=(place + 1,),
            heads=((place + 1, written),),
            numbers=frozenset(numbers),
            evidence=(f"digital states among numbers: {', '.join(states) or 'none in the first rows'}",),
        )


PI = FileFormat("pi", PiSource, recognises=is_pi, signature=True)
