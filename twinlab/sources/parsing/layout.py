"""Detect header and units in the first rows of a table of text cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.sources.parsing.numerals import NOT_AVAILABLE, Numerals, number_test

__all__ = ["Layout", "Row", "equal_rows", "find_layout", "is_footer", "looks_like_units"]

#: A row of a table: its 1-based number and its cells.
Row = tuple[int, list[str]]

_UNITS_TEXT = """
°c °f c f k degc degf degk deg_c deg_f celsius fahrenheit kelvin % percent %rh rh mph m/s mps km/h kmh kph kn kt
kts knots knot ft/s ft/min m km cm mm µm um nm mi mile miles ft feet in inch inches yd s sec secs second seconds
ms µs us ns min mins minute minutes h hr hrs hour hours d day days pa hpa kpa mpa bar mbar mb psi atm mmhg inhg
torr w kw mw gw wh kwh mwh gwh j kj mj btu v kv mv a ma ka ah mah hz khz mhz ghz rpm 1/min deg degree degrees °
rad g kg mg t lb lbs oz l ml m3 m³ m^3 m2 m² m^2 l/s l/min l/h m3/h m³/h m3/s m³/s gpm cfm ppm ppb pct ohm ω va
kva var kvar db dba lx lux cd w/m2 w/m² w/m^2 n nm kn·m count counts usd eur € $ utc gmt kg/h kg/s µg/m³ ug/m3
g/m3 g/m³ µs/cm ntu ph mm/h mm/s m/s2 m/s² bit byte bytes kb gb vol% cet cest est edt local hh:mm hhmm
dd.mm.yyyy yyyy-mm-dd mm/dd/yyyy dd/mm/yyyy
"""
_UNITS = frozenset(_UNITS_TEXT.split())

_FOOTER = re.compile(
    r"\s*(?:[-=*_#]{2,}|(?:grand |sub)?-?totals?\b|sum\b|summe\b|gesamt\w*\b|mittel\w*\b|durchschnitt\b|average\b|avg\b|mean\b"
    r"|end of\b|end$|ende\b|eof\b|\(?\d+ (?:rows?|records?|lines?|zeilen)\b|rows?:|records?:|count\b|generated\b|exported\b"
    r"|printed\b|source:|note:|notes:|copyright\b|©|page \d|seite \d)",
    re.IGNORECASE,
)
_FOOTER_WORD = re.compile(
    r"\s*(?:(?:grand |sub)?-?totals?|sum|summe|gesamt\w*|mittel\w*|durchschnitt|average|avg|mean|min|max|count|"
    r"end of .{0,40}|[-=*_#]{2,}.{0,60})\s*:?\s*",
    re.IGNORECASE,
)


# Units of one letter are case-sensitive: "T" and "H" are more often names of columns than tesla and henry.
_LETTERS = frozenset("CFKVAWJNsmhdgtlL%°€$Ω")


@dataclass(frozen=True)
class Layout:
    """Positions of the parts of a table."""

    header_rows: tuple[int, ...]
    units_row: int
    """0 if there is none."""
    first_row: int
    """First row of the data."""
    width: int
    names: tuple[str, ...]
    """Names as written, joined over several header rows; not yet made unique."""
    units: tuple[str, ...]
    evidence: tuple[str, ...]
    heads: tuple[tuple[tuple[str, ...], str], ...] = ()
    """Cells of each row of header and units -> its name in a report if it is repeated among the data."""
    numbers: frozenset[str] = frozenset()
    """Columns that are numbers whatever share of their cells is; a format states them."""


def is_footer(cells: Sequence[str], width: int) -> bool:
    """Return whether the cells of a row at the end of a table are a total or a closing remark."""
    filled = [cell for cell in cells if cell.strip()]
    if not filled:
        return False
    if len(cells) != width:
        return bool(_FOOTER.match(filled[0]))
    # A row as wide as the table is a footer only if its first cell has nothing else and other cells are empty.
    return bool(cells[0].strip() and _FOOTER_WORD.fullmatch(cells[0]) and len(filled) < width) and width > 1


def looks_like_units(cells: Sequence[str]) -> bool:
    """Return whether the cells of a row are units."""
    filled = [cell.strip() for cell in cells if cell.strip() and cell.strip() not in {"-", "--", "n/a"}]
    if not filled:
        return False
    known = sum(_is_unit(cell) for cell in filled)
    return known >= 0.5 * len(filled)


def _is_unit(cell: str) -> bool:
    bare = re.fullmatch(r"[\[(](.*)[\])]", cell)
    if bare:
        return len(bare.group(1)) <= 20
    return cell in _LETTERS if len(cell) == 1 else cell.casefold() in _UNITS


def find_layout(rows: Sequence[Row], numerals: Numerals) -> Layout:
    """Detect header, units and data in the first rows of a table without blank rows.

    The header is the first row as wide as most rows, with more than one cell filled, and with texts above numbers.
    Rows above it are titles. A row above it with gaps, or with repeated names, is a merged header and joined with it.
    """
    is_number = number_test(numerals)
    width = _usual_width(rows)
    top = _skip_titles(rows, width, is_number)
    evidence = []
    commented = _commented_header(rows, width, is_number)
    if commented is not None:
        return commented
    if top:
        evidence.append(
            f"{top} title line{'s' if top > 1 else ''} above the header, such as {' '.join(rows[0][1]).strip()!r}"
        )
    body = [row for row in rows[top:] if len(row[1]) in {width, width - 1}]
    if not body:
        return Layout((), 0, rows[0][0] if rows else 1, width, (), (), tuple(evidence))
    # Neither a second header row nor repeats of the first two rows are data.
    above = [cells for _, cells in body[:2]]
    rest = [row for row in body[2:] if row[1] not in above]
    numeric = _numeric_columns(rest or body[1:], width, is_number)
    depth = _header_depth(body, numeric, is_number)
    row_names = _row_names(rows, top, width, is_number) if not depth else None
    if row_names is not None:
        evidence[:] = [f"header in row {row_names[0]}; row numbers without a name come before it"]
        names = ("", *[cell.strip() for cell in row_names[1]])
        return Layout((row_names[0],), 0, body[0][0], width, names, (), tuple(evidence))
    if not depth:
        evidence.append(f"no header: row {body[0][0]} already has numbers in the same columns as the rows below")
        return Layout((), 0, body[0][0], width, ("",) * width, (), tuple(evidence))
    header = body[:depth]
    units_row, units = _units(body[depth : depth + 1], header[0][1][0], numeric, is_number, width)
    last = units_row or body[depth - 1][0]
    described = _descriptions(body[depth + bool(units_row) :], is_number)
    last = described[-1][0] if described else last
    first = last + 1
    names = join_header([cells for _, cells in header], width)
    evidence.append("header in row " + ", ".join(str(number) for number, _ in header))
    if units_row:
        evidence.append(f"units in row {units_row}: {', '.join(unit for unit in units if unit)}")
    if described:
        evidence.append("processing or formats in row " + ", ".join(str(number) for number, _ in described))
    numbers = tuple(number for number, _ in header)
    heads = repeatable([cells for _, cells in header], body[depth][1] if units_row else None, width)
    return Layout(numbers, units_row, first, width, names, units, tuple(evidence), heads)


#: Cells of a row below the header that is no data: how a value was made, or how wide its column is.
_DESCRIPTION = re.compile(
    r"(?i)avg|mean|average|min|max|minimum|maximum|tot|total|sum|smp|sample|std|stdev|med|median|inst|instantaneous"
    r"|\d+[sdn]|[-=]{2,}|float|double|integer|int|text|string|datetime|date|char|varchar"
)


def _descriptions(rows: Sequence[Row], is_number: Callable[[str], bool]) -> list[Row]:
    """Return the rows below names and units that describe the columns: processing, formats or data types."""
    found: list[Row] = []
    for number, cells in rows[:3]:
        filled = [cell.strip() for cell in cells if cell.strip()]
        if not filled or any(map(is_number, filled)) or not all(map(_DESCRIPTION.fullmatch, filled)):
            break
        found.append((number, cells))
    return found if len(rows) > len(found) else []


def _uncommented(cells: Sequence[str]) -> list[str]:
    return [re.sub(r"^\s*#+\s*", "", cells[0]), *cells[1:]]


def _commented_header(rows: Sequence[Row], width: int, is_number: Callable[[str], bool]) -> Layout | None:
    """Return the layout of a table below comments (#), the last of which is the header, or header and units.

    None if there are no other comments than names (and units), which are read as they are, or if the first row without #
    may be the header.
    """
    comments = 0
    while comments < len(rows) and rows[comments][1][0].lstrip().startswith("#"):
        comments += 1
    body = rows[comments:]
    if width < 2 or comments < 2 or not body or len(body[0][1]) != width:
        return None
    numeric = _numeric_columns(body, width, is_number)
    if any(numeric) and not any(
        is_number(cell) for cell, yes in zip(body[0][1], numeric, strict=False) if yes and cell.strip()
    ):
        return None
    while comments > 1 and not re.search(r"\w", "".join(rows[comments - 1][1])):
        comments -= 1  # an empty comment, or a line of dashes
    block = [(number, _uncommented(cells)) for number, cells in rows[:comments] if len(cells) == width]
    block = [row for row in block if all(cell.strip() for cell in row[1]) and not any(map(is_number, row[1]))]
    if not block or block[-1][0] != rows[comments - 1][0] or comments == len(block) == 2:
        return None
    above = block[-2] if len(block) > 1 and block[-2][0] == rows[comments - 2][0] else None
    units = block[-1] if above and any(map(_is_unit, block[-1][1])) and not any(map(_is_unit, above[1])) else None
    header = above if above and units else block[-1]
    names = join_header([header[1]], width)
    bare = tuple(re.sub(r"^[\[(](.*)[\])]$", r"\1", cell.strip()) for cell in units[1]) if units else ()
    evidence = [f"{comments - 1 - bool(units)} comment lines above the header", f"header in row {header[0]}, a comment"]
    evidence += [f"units in row {units[0]}: {', '.join(bare)}"] if units else []
    written = dict(rows)
    heads = repeatable([written[header[0]]], written[units[0]] if units else None, width)
    return Layout((header[0],), units[0] if units else 0, body[0][0], width, names, bare, tuple(evidence), heads)


def repeatable(
    header: Sequence[Sequence[str]], units: Sequence[str] | None, width: int
) -> tuple[tuple[tuple[str, ...], str], ...]:
    """Return the cells of header and units, to find repetitions among the data."""

    def padded(cells: Sequence[str]) -> tuple[str, ...]:
        return tuple(([cell.strip() for cell in cells] + [""] * width)[:width])

    heads = [(padded(cells), "the header again") for cells in header]
    return (*heads, (padded(units), "the units again")) if units is not None else tuple(heads)


def equal_rows(cells: list[pa.Array], wanted: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Return which rows have the texts of a header; columns of numbers have none of them."""
    same = np.ones(len(cells[0]), dtype=bool)
    if not any(wanted):
        return ~same
    for column, text in zip(cells, wanted, strict=False):
        if not same.any():
            break
        if text and not pa.types.is_string(column.type):
            return np.zeros(len(column), dtype=bool)  # a header of words is no row of numbers
        equal = pc.equal(pc.utf8_trim_whitespace(column), text) if text else pc.is_null(column)
        same &= equal.fill_null(fill_value=False).to_numpy(zero_copy_only=False)
    return same


def _row_names(rows: Sequence[Row], top: int, width: int, is_number: Callable[[str], bool]) -> Row | None:
    """Return the header of a file of R's write.table: one name less than cells, because rows are numbered."""
    if not top or len(rows) < top + 2:
        return None
    cells = rows[top - 1][1]
    first = [row[0].strip() for _, row in rows[top : top + 3]]
    counts = first == [str(place) for place in range(1, len(first) + 1)]
    return (
        rows[top - 1] if len(cells) == width - 1 and all(cells) and not any(map(is_number, cells)) and counts else None
    )


def _usual_width(rows: Sequence[Row]) -> int:
    # Later rows count, because titles are at the top.
    widths = Counter(len(cells) for _, cells in rows[:500])
    if not widths:
        return 0
    most = max(widths.values())
    return max(width for width, count in widths.items() if count == most)


def _comments(rows: Sequence[Row], is_number: Callable[[str], bool]) -> int:
    """Return the number of comment rows (#) above the header, unless the header is a comment itself."""
    count = next((index for index, (_, cells) in enumerate(rows) if not cells[0].lstrip().startswith("#")), 0)
    if not count or count + 1 >= len(rows):
        return 0
    header, below = rows[count][1], rows[count + 1][1]
    return count if not any(map(is_number, header)) and any(map(is_number, below)) else 0


def _skip_titles(rows: Sequence[Row], width: int, is_number: Callable[[str], bool]) -> int:
    """Return the number of rows above the first that can be a header."""

    def filled(cells: Sequence[str]) -> int:
        return sum(bool(cell.strip()) for cell in cells)

    comments = _comments(rows, is_number)
    for index, (_, cells) in enumerate(rows):
        if index < comments:
            continue
        fits = len(cells) == width or (len(cells) == width - 1 and width > 2 and _last_empty(rows[index + 1 :], width))
        if not fits:
            continue
        following = [below for _, below in rows[index + 1 : index + 6]]
        title = width > 1 and filled(cells) <= 1 and any(filled(below) > 1 for below in following)
        if not title and not _is_entry(cells, following, width, is_number):
            return index
    return 0


def _is_entry(
    cells: Sequence[str], following: Sequence[Sequence[str]], width: int, is_number: Callable[[str], bool]
) -> bool:
    """Return whether a row is a title such as "Week | 7", because a row of texts, the header, follows."""
    if width < 4 or not cells[0].strip() or any(cell.strip() for cell in cells[2:]):
        return False
    return any(
        len(below) == width and all(cell.strip() and not is_number(cell) for cell in below[:-1]) for below in following
    )


def _last_empty(rows: Sequence[Row], width: int) -> bool:
    wide = [cells for _, cells in rows if len(cells) == width]
    return bool(wide) and all(not cells[-1].strip() for cells in wide)


def _numeric_columns(rows: Sequence[Row], width: int, is_number: Callable[[str], bool]) -> list[bool]:
    """Return for each column whether most of its filled cells (of rows well below the header) are numbers."""
    result = []
    for column in range(width):
        filled = [cells[column].strip() for _, cells in rows if column < len(cells) and cells[column].strip()]
        counted = [cell for cell in filled if cell.casefold() not in NOT_AVAILABLE]
        numbers = sum(is_number(cell) for cell in counted)
        result.append(numbers > 0.5 * len(counted) if len(counted) > 2 else numbers > 0)
    return result


def _header_depth(body: Sequence[Row], numeric: Sequence[bool], is_number: Callable[[str], bool]) -> int:
    """Return the number of header rows of ``body``: 0, 1, or more if upper rows have merged cells."""

    def wordy(cells: Sequence[str]) -> bool:
        """Return whether a row has texts above numbers."""
        over = [cell.strip() for cell, yes in zip(cells, numeric, strict=False) if yes and cell.strip()]
        words = [cell for cell in over if not is_number(cell) and cell.casefold() not in NOT_AVAILABLE]
        return bool(words) and len(words) > 0.5 * len(over)

    first = body[0][1]
    if all(is_number(cell) for cell in first if cell.strip()):
        return 0
    if any(numeric) and not wordy(first):
        above = [cell for cell, yes in zip(first, numeric, strict=False) if yes]
        if any(cell.strip() for cell in above):
            return 0
        # No text above the numbers: a merged header with names in the next row, or no header.
    depth = 1
    while depth < min(4, len(body) - 1) and _merged(body[depth - 1][1]):
        cells = body[depth][1]
        if not wordy(cells) or looks_like_units(cells):
            break
        depth += 1
    if depth == 1 and any(numeric) and not wordy(first):
        return 0
    return depth


def _merged(cells: Sequence[str]) -> bool:
    """Return whether a header row has gaps or repeats, which result from merged cells."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return len(filled) < len(cells) or len(set(filled)) < len(filled)


def _units(
    rows: Sequence[Row], name: str, numeric: Sequence[bool], is_number: Callable[[str], bool], width: int
) -> tuple[int, tuple[str, ...]]:
    if not rows:
        return 0, ()
    number, cells = rows[0]
    over = [cell.strip() for cell, yes in zip(cells, numeric, strict=False) if yes and cell.strip()]
    commented = name.startswith("#") and cells[0].startswith("#")
    if not over or any(is_number(cell) for cell in over) or not (commented or looks_like_units(cells)):
        return 0, ()
    bare = [re.sub(r"^[\[(](.*)[\])]$", r"\1", cell.strip()) for cell in cells]
    return number, tuple((bare + [""] * width)[:width])


def join_header(rows: Sequence[Sequence[str]], width: int) -> tuple[str, ...]:
    """Return the columns' names from one or more header rows; in all but the last, gaps are filled from the left."""
    levels = []
    for depth, cells in enumerate(rows):
        level = [re.sub(r"\s+", " ", cell).strip() for cell in cells] + [""] * (width - len(cells))
        if depth < len(rows) - 1:
            for column in range(1, width):
                # A gap belongs to a merged cell, unless the cell below is empty too.
                level[column] = level[column] or level[column - 1]
        levels.append(level)
    names = []
    for column in range(width):
        parts = [level[column] for level in levels if level[column]]
        names.append(" ".join(dict.fromkeys(parts)))
    return tuple(names)
