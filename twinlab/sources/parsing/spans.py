"""Columns at the same character positions in every line: find the positions, slice the lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["crossing", "evenly_spaced", "find_widths", "is_ruler", "slice_columns", "slice_line"]

_RULER = re.compile(r"\s*[-=_]{2,}(\s+[-=_]{2,})*\s*")


def is_ruler(line: str) -> bool:
    """Return whether a line only underlines others."""
    return _RULER.fullmatch(line) is not None


def evenly_spaced(lines: Sequence[str]) -> bool:
    """Return whether all lines have the same number (two or more) of words; the first may have one less (files of R)."""
    counts = [len(line.split()) for line in lines]
    usual = counts[-1] if counts else 0
    first_fits = len(counts) > 1 and (counts[0] == usual or (len(counts) > 2 and counts[0] == usual - 1))
    return usual > 1 and first_fits and set(counts[1:]) == {usual}


def find_widths(lines: Sequence[str]) -> tuple[int, ...]:
    """Return the width of each column, from positions that are blank in all lines; one width if there are none.

    Titles at the top and remarks at the end, which fill these positions, don't count.
    """
    ruler = next((line for line in lines if is_ruler(line) and len(line.split()) > 1), None)
    if ruler is not None:
        starts = [found.start() for found in re.finditer(r"\S+", ruler)]
        return _widths([0, *starts[1:]], max(len(line) for line in lines))
    solid = [line for line in lines if not is_ruler(line)]
    if len(solid) < 2:
        return (max((len(line) for line in solid), default=0),)
    width = max(len(line) for line in solid)
    spread = ["  " in line.strip() for line in solid]
    if 2 * sum(spread) >= len(solid):
        # Lines of text, without a wide gap, are above and below the table.
        last = len(solid) - 3
        solid = [
            line for place, (line, wide) in enumerate(zip(solid, spread, strict=True)) if wide or 10 <= place < last
        ]
    filled = (np.array([list(line.ljust(width)) for line in solid]) != " ").any(axis=0)
    return _widths([0, *_starts(filled)[1:]], width)


def crossing(lines: Sequence[str], widths: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Return a mask of lines that extend across columns: they have a character at the last blank of each column."""
    array = pa.array(lines, pa.string())
    result = np.zeros(len(lines), dtype=bool)
    for end in np.cumsum(widths)[:-1]:
        mark = pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(array, int(end) - 1, int(end)))
        result |= pc.not_equal(mark, "").to_numpy(zero_copy_only=False)
    return result


def _starts(filled: npt.NDArray[np.bool_]) -> list[int]:
    return [int(place) for place in np.flatnonzero(filled & ~np.concatenate(([False], filled[:-1])))]


def _widths(starts: list[int], width: int) -> tuple[int, ...]:
    return tuple(int(size) for size in np.diff([*starts, max(width, starts[-1] + 1)]))


def slice_line(line: str, widths: Sequence[int]) -> list[str]:
    """Return a line's cells without blanks around them; the last cell extends to the end of the line."""
    ends = list(np.cumsum(widths))
    starts = [0, *ends[:-1]]
    ends[-1] = max(len(line), int(ends[-1]))
    return [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]


def slice_columns(lines: Sequence[str], widths: Sequence[int]) -> list[pa.Array]:
    """Return the columns of many lines as string arrays; blank cells are null."""
    array = pa.array(lines, pa.string())
    ends: list[int | None] = [int(end) for end in np.cumsum(widths)]
    starts = [0, *ends[:-1]]
    ends[-1] = None
    null = pa.scalar(None, pa.string())
    columns = []
    for start, end in zip(starts, ends, strict=True):
        cells = pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(array, start, end))
        columns.append(pc.if_else(pc.equal(cells, ""), null, cells))
    return columns
