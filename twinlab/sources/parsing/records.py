"""Split UTF-8 text into records with line numbers; quoted cells may contain line ends, and quotes may be broken."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from twinlab.sources.base import Problem, problem_text

__all__ = ["Cut", "cut", "spaced", "split_cells"]

#: A quoted cell longer than this was never closed.
QUOTE_LIMIT = 1 << 20

_LF, _CR = 10, 13
Ints = npt.NDArray[np.int64]


@dataclass
class Cut:
    """Complete records of a part of a text."""

    data: bytes
    """Text to which ``starts`` and ``ends`` refer; its quotes are regular (RFC 4180)."""
    starts: Ints
    """Position of the start of each record."""
    ends: Ints
    """Position of the end of each record, without its line end."""
    lines: Ints
    """1-based line on which each record starts."""
    cells: Ints
    """Number of cells of each record."""
    used: int
    """Number of bytes of the given text in these records."""
    next_line: int
    """Line on which the remaining text starts."""
    problems: list[Problem] = field(default_factory=list)
    origins: Ints | None = None
    """Position of the start of each record in the given text, if that isn't ``data``."""

    def shorten(self, keep: int) -> None:
        """Return only the first ``keep`` records; the others are left for later."""
        if keep >= len(self.starts):
            return
        origins = self.starts if self.origins is None else self.origins
        self.used, self.next_line = int(origins[keep]), int(self.lines[keep])
        if self.origins is None:
            self.data = self.data[: self.used]
        else:
            self.data, self.origins = self.data[: int(self.starts[keep])], origins[:keep]
        self.starts, self.ends = self.starts[:keep], self.ends[:keep]
        self.lines, self.cells = self.lines[:keep], self.cells[:keep]
        self.problems = [problem for problem in self.problems if problem.row < self.next_line]

    def text(self, index: int) -> str:
        """Return one record's text."""
        return self.data[self.starts[index] : self.ends[index]].decode("utf-8")


def cut(data: bytes, *, delimiter: str, quote: str, line: int, final: bool) -> Cut:
    """Split text into records.

    Parameters
    ----------
    data : bytes
        UTF-8, starting at the start of a record.
    delimiter, quote : str
        ``quote`` may be empty: then quotes are ordinary characters.
    line : int
        1-based line on which ``data`` starts.
    final : bool
        Whether the file ends here; else the last record, which can be incomplete, is left for later.
    """
    if final and data and data[-1] not in (_LF, _CR):
        data += b"\n"
    mark = quote.encode()
    delim = delimiter.encode()
    if not mark or mark not in data:
        return _cut_plain(data, delim, line, final=final)
    if len(mark) == 1 and len(delim) == 1:
        found = _cut_regular(data, delim, mark, line, final=final)
        if found is not None:
            return found
    return _cut_broken(data, delimiter, quote, line, final=final)


def spaced(data: bytes, delimiter: str) -> bytes:
    """Return text with single blanks in place of several, if blanks are the delimiter."""
    if delimiter != " ":
        return data
    return re.sub(rb"(?m)^ +| +(?=\r?$)", b"", re.sub(rb"[ \t]+", b" ", data))


def _breaks(data: bytes, buffer: npt.NDArray[np.uint8], *, final: bool) -> Ints:
    """Return the positions of line ends: line feeds, and carriage returns without a line feed after them."""
    ends = buffer == _LF
    if b"\r" in data:
        lone = buffer == _CR
        lone[:-1] &= ~ends[1:]
        if not final and len(data):
            lone[-1] = False  # a line feed may follow in the next block
        ends |= lone
    return np.flatnonzero(ends).astype(np.int64)


def _spans(data: bytes, buffer: npt.NDArray[np.uint8], breaks: Ints) -> tuple[Ints, Ints]:
    starts = np.empty_like(breaks)
    starts[:1] = 0
    starts[1:] = breaks[:-1] + 1
    ends = breaks.copy()
    if b"\r" in data:
        before = np.maximum(breaks - 1, 0)
        ends -= (buffer[breaks] == _LF) & (buffer[before] == _CR) & (breaks > starts)
    return starts, ends


def _cut_plain(data: bytes, delim: bytes, line: int, *, final: bool) -> Cut:
    buffer = np.frombuffer(data, dtype=np.uint8)
    breaks = _breaks(data, buffer, final=final)
    starts, ends = _spans(data, buffer, breaks)
    if len(delim) == 1:
        places = np.flatnonzero(buffer == delim[0])
    else:
        places = np.array([found.start() for found in re.finditer(re.escape(delim), data)], dtype=np.int64)
    cells = _counts(places, starts, ends)
    lines = line + np.arange(len(breaks), dtype=np.int64)
    used = int(breaks[-1]) + 1 if len(breaks) else 0
    return Cut(data, starts, ends, lines, cells, used, line + len(breaks))


def _counts(places: Ints, starts: Ints, ends: Ints) -> Ints:
    """Return the number of cells of each record; ``places`` are those of the delimiters."""
    if len(starts) and len(places) and len(places) % len(starts) == 0:
        # In nearly all files, all records have the same number.
        each = places.reshape(len(starts), -1)
        if (each[:, 0] >= starts).all() and (each[:, -1] < ends).all():
            return np.full(len(starts), each.shape[1] + 1)
    return np.searchsorted(places, ends) - np.searchsorted(places, starts) + 1


def _cut_regular(data: bytes, delim: bytes, mark: bytes, line: int, *, final: bool) -> Cut | None:
    """Split text with regular quotes, by the parity of quotes before each byte; None if quotes aren't regular."""
    buffer = np.frombuffer(data, dtype=np.uint8)
    is_quote = buffer == mark[0]
    inside = np.bitwise_xor.accumulate(is_quote.view(np.uint8)).view(bool)
    quotes = np.flatnonzero(is_quote)
    special = np.zeros(256, dtype=bool)
    special[[_LF, _CR, delim[0], mark[0]]] = True
    opening, closing = quotes[inside[quotes]], quotes[~inside[quotes]]
    before, after = opening[opening > 0] - 1, closing[closing < len(data) - 1] + 1
    if not (special[buffer[before]].all() and special[buffer[after]].all()):
        return None
    breaks = _breaks(data, buffer, final=final)
    outside = np.flatnonzero(~inside[breaks])
    records = breaks[outside]
    rest = len(data) - (int(records[-1]) + 1 if len(records) else 0)
    if len(quotes) and inside[-1] and (final or rest > QUOTE_LIMIT):
        return None  # a quote was opened and never closed
    starts, ends = _spans(data, buffer, records)
    places = np.flatnonzero((buffer == delim[0]) & ~inside)
    cells = np.searchsorted(places, ends) - np.searchsorted(places, starts) + 1
    lines = np.empty_like(records)
    lines[:1] = line
    lines[1:] = line + outside[:-1] + 1
    used = int(records[-1]) + 1 if len(records) else 0
    next_line = line + (int(outside[-1]) + 1 if len(outside) else 0)
    return Cut(data, starts, ends, lines, cells, used, next_line)


@cache
def _patterns(delimiter: str, quote: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return patterns of a quoted cell up to a possible closing quote, and of a cell that doesn't start with a quote."""
    d, q = re.escape(delimiter), re.escape(quote)
    blanks = "" if delimiter == " " else " *"
    return re.compile(rf"{blanks}{q}([^{q}]*(?:{q}{q}[^{q}]*)*)"), re.compile(rf"(?!{blanks}{q})[^{d}\r\n]*")


class _BrokenError(Exception):
    """A quoted cell that isn't closed at the end of a cell."""


class _IncompleteError(Exception):
    """The text ends before the record does."""


def _record(text: str, at: int, delimiter: str, quote: str, *, final: bool) -> tuple[list[str], int]:
    """Return the cells of the record that starts at ``at``, and the position of its line end."""
    quoted, bare = _patterns(delimiter, quote)
    cells = []
    while True:
        plain = bare.match(text, at)
        if plain is not None:
            cells.append(plain.group())
            at = plain.end()
        else:
            found = quoted.match(text, at)
            if found is None or found.end() >= len(text) or found.end() - at > QUOTE_LIMIT:
                too_long = found is None or found.end() - at > QUOTE_LIMIT
                raise _BrokenError if final or too_long else _IncompleteError
            cells.append(found.group(1).replace(quote * 2, quote))
            at = found.end() + 1
            while at < len(text) and text[at] == " " != delimiter:
                at += 1
            if at < len(text) and text[at] != delimiter and text[at] not in "\r\n":
                raise _BrokenError
        if at >= len(text):
            if not final:
                raise _IncompleteError
            return cells, at
        if text[at] in "\r\n":
            return cells, at
        at += 1


_LINE_END = re.compile(r"\r\n|\n|\r")


def _cut_broken(data: bytes, delimiter: str, quote: str, line: int, *, final: bool) -> Cut:
    """Split text with irregular quotes, record by record; lines that remain unclear become Problems."""
    text = data.decode("utf-8")
    pieces: list[str] = []
    found: list[tuple[int, int, int, int]] = []  # bytes, line, cells, where it starts
    used = 0
    problems: list[Problem] = []
    at = 0
    while at < len(text):
        end = _LINE_END.search(text, at)
        if end is None or (end.group() == "\r" and end.end() == len(text) and not final):
            break
        try:
            cells, stop = _record(text, at, delimiter, quote, final=final)
        except _IncompleteError:
            break
        except _BrokenError:
            shown = problem_text(text[at : end.start()])
            problems.append(Problem(line, None, shown, "a quote opens here and does not close where a cell ends"))
            used += len(text[at : end.end()].encode())
            line, at = line + 1, end.end()
            continue
        ending = _LINE_END.match(text, stop)
        after = ending.end() if ending else stop
        piece = delimiter.join([_quoted(cell, delimiter, quote) for cell in cells]) if cells != [""] else ""
        pieces.append(piece)
        found.append((len(piece.encode()), line, len(cells), used))
        used += len(text[at:after].encode())
        line += len(_LINE_END.findall(text, at, after))
        at = after
    sizes, lines, counts, origins = np.array(found, dtype=np.int64).reshape(-1, 4).T
    ends = np.cumsum(sizes + 1) - 1
    clean = "".join(piece + "\n" for piece in pieces).encode()
    return Cut(clean, ends - sizes, ends, lines, counts, used, line, problems, origins)


def _quoted(cell: str, delimiter: str, quote: str) -> str:
    if quote in cell or delimiter in cell or "\n" in cell or "\r" in cell:
        return quote + cell.replace(quote, quote * 2) + quote
    return cell


def split_cells(record: str, *, delimiter: str, quote: str) -> list[str]:
    """Return the cells of one regular record."""
    if not quote or quote not in record:
        return record.split(delimiter)
    try:
        return _record(record, 0, delimiter, quote, final=True)[0]
    except _BrokenError:
        return record.split(delimiter)
