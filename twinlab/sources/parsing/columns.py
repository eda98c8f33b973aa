"""Types of columns: determined from the first cells, the same in all batches; cells of other types are kept as text."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from twinlab.model.schema import TEXT_SUFFIX
from twinlab.sources.parsing.numerals import NOT_AVAILABLE, PLAIN, Numerals, Parsed, float_column, parse_numbers

__all__ = ["Kind", "TextColumns"]

Kind = Literal["text", "whole", "fraction"]

#: Maximal share of other cells (a remark, for example) in a numeric column when its type is determined.
_EXCEPTIONS = 0.1


@dataclass
class TextColumns:
    """Types of the columns of one table of text cells, the same for all its blocks.

    A column is numeric if at least nine tenths of the cells of its first block are numbers ("NA" and similar texts
    don't count) and none is a whole number with a leading zero. The type doesn't change: later texts in a numeric
    column are written to its text column, and only integers can widen to floats. An empty column is text.
    """

    numerals: Numerals = PLAIN
    text_columns: Collection[str] = ()
    kinds: dict[str, Kind] = field(default_factory=dict)

    def convert(self, names: Iterable[str], cells: Iterable[pa.Array]) -> tuple[list[str], list[pa.Array]]:
        """Return names and typed arrays of a block's columns; empty cells must be null already."""
        out_names: list[str] = []
        out: list[pa.Array] = []
        for name, column in zip(names, cells, strict=True):
            values, text = self._column(name, column)
            out_names.append(name)
            out.append(values)
            if text is not None and text.null_count < len(text):
                out_names.append(name + TEXT_SUFFIX)
                out.append(text)
        return out_names, out

    def _column(self, name: str, cells: pa.Array) -> tuple[pa.Array, pa.Array | None]:
        kind = self.kinds.get(name)
        if name in self.text_columns or kind == "text" or cells.null_count == len(cells):
            return (cells, None) if kind in {None, "text"} else (_nulls(kind, len(cells)), None)
        parsed = parse_numbers(cells, self.numerals)
        if kind is None:
            kind = decide(cells, parsed)
            self.kinds[name] = kind
            if kind == "text":
                return cells, None
        if parsed.whole and kind == "whole":
            return parsed.values, parsed.text
        self.kinds[name] = "fraction"
        values, long = float_column(parsed)
        text = pc.if_else(pa.array(long), cells, parsed.text) if long.any() else parsed.text
        return values, text


def _nulls(kind: Kind | None, size: int) -> pa.Array:
    return pa.nulls(size, pa.int64() if kind == "whole" else pa.float64())


def decide(cells: pa.Array, parsed: Parsed) -> Kind:
    """Return the type of a column from a block of its cells."""
    numbers = len(cells) - parsed.values.null_count
    if not numbers:
        return "text"
    words = pc.utf8_trim_whitespace(parsed.text.drop_null())
    if bool(pc.any(pc.match_substring_regex(words, r"^[+-]?0\d+$")).as_py()):
        return "text"
    others = len(words)
    if others:
        # Distinct texts first: a column of names has few of them, so a set in Python is fast enough.
        counts = pc.value_counts(pc.utf8_lower(words))
        others -= sum(item["counts"].as_py() for item in counts if item["values"].as_py() in NOT_AVAILABLE)
    allowed = max(_EXCEPTIONS * (numbers + others), 1 if numbers >= 4 else 0)
    if others > allowed:
        return "text"
    return "whole" if parsed.whole else "fraction"
