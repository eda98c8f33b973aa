"""Python values (of workbooks, JSON, databases) to typed columns; cells of other types are kept as text."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from twinlab.model.schema import TEXT_SUFFIX
from twinlab.sources.parsing.numerals import NOT_AVAILABLE, PLAIN, Numerals, parse_numbers

__all__ = ["ValueColumns", "value_text"]

Kind = Literal["text", "whole", "fraction", "bool", "time"]

_ARROW = {
    "text": pa.string(),
    "whole": pa.int64(),
    "fraction": pa.float64(),
    "bool": pa.bool_(),
    "time": pa.timestamp("us"),
}

#: Limits from which whole numbers aren't exact as float64, or don't fit int64.
_EXACT_FLOAT, _EXACT_INT = 10**15, 2**63
_EXCEPTIONS = 0.1


def value_text(value: object) -> str:
    """Return a value as text: ISO 8601 for times, JSON for lists, hexadecimal for bytes."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=value_text)
    return str(value)


def duration_text(value: timedelta) -> str:
    """Return a duration as hours:minutes:seconds; hours may exceed a day."""
    micros = abs(value) // timedelta(microseconds=1)
    seconds, rest = divmod(micros, 1_000_000)
    text = f"{'-' if value < timedelta(0) else ''}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{rest:06d}" if rest else text


def _kind(value: object) -> Kind | None:
    """Return the type of one value; None if it is empty."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "whole" if -_EXACT_INT <= value < _EXACT_INT else "text"
    if isinstance(value, float | Decimal):
        return "fraction" if math.isfinite(value) else "text"
    if isinstance(value, datetime):
        return "time" if value.tzinfo is None else "text"
    if isinstance(value, date):
        return "time"
    return "text"


@dataclass
class ValueColumns:
    """Types of the columns of one table of Python values, the same for all batches; see `TextColumns`."""

    numerals: Numerals = PLAIN
    text_columns: Collection[str] = ()
    missing: Collection[str] = ()
    kinds: dict[str, Kind] = field(default_factory=dict)

    def convert(self, columns: Mapping[str, Sequence[Any]]) -> tuple[list[str], list[pa.Array]]:
        """Return names and typed arrays; a column of mixed values is followed by a column of its texts."""
        names: list[str] = []
        arrays: list[pa.Array] = []
        for name, values in columns.items():
            main, text = self._column(name, values)
            names.append(name)
            arrays.append(main)
            if text is not None and text.null_count < len(text):
                names.append(name + TEXT_SUFFIX)
                arrays.append(text)
        return names, arrays

    def _column(self, name: str, values: Sequence[Any]) -> tuple[pa.Array, pa.Array | None]:
        if self.missing:
            values = [None if isinstance(value, str) and value in self.missing else value for value in values]
        kind: Kind | None = "text" if name in self.text_columns else self.kinds.get(name)
        if kind == "text":
            return _texts(values), None
        plain = _plain_numbers(values, kind)
        if plain is not None:
            self.kinds[name] = "whole" if pa.types.is_integer(plain.type) else "fraction"
            return plain, None
        kinds = [_kind(value) for value in values]
        values = self._read_numbers(values, kinds)
        if kind is None:
            kind = _decide(values, kinds)
            if kind is None:
                return pa.nulls(len(values), pa.string()), None
            self.kinds[name] = kind
            if kind == "text":
                return _texts([value.text if isinstance(value, _Read) else value for value in values]), None
        if kind == "whole" and "fraction" in kinds:
            self.kinds[name] = kind = "fraction"
        return _typed(values, kinds, kind)

    def _read_numbers(self, values: Sequence[Any], kinds: list[Kind | None]) -> Sequence[Any]:
        """Replace texts that are numbers by these numbers, and record their types."""
        if not any(isinstance(value, str) and value for value in values):
            return values
        texts = pa.array([value if isinstance(value, str) and value else None for value in values], pa.string())
        numbers = parse_numbers(texts, self.numerals).values.to_pylist()
        result = list(values)
        for index, number in enumerate(numbers):
            if number is not None:
                result[index] = _Read(values[index], number)
                kinds[index] = "whole" if isinstance(number, int) else "fraction"
        return result


@dataclass(frozen=True)
class _Read:
    """A number that was written as text."""

    text: str
    number: int | float


def _plain_numbers(values: Sequence[Any], kind: Kind | None) -> pa.Array | None:
    """Return a column of only finite floats, or of only whole numbers, with the type it had so far.

    None for all other columns. This is ten times faster than a check of each value, and suits most telemetry.
    """
    types = set(map(type, values))
    if types == {float} and kind in {None, "fraction"}:
        array = pa.array(values, pa.float64())
        return array if pc.all(pc.is_finite(array)).as_py() else None
    if types == {int} and kind in {None, "whole"} and -_EXACT_INT <= min(values) <= max(values) < _EXACT_INT:
        return pa.array(values, pa.int64())
    return None


def _texts(values: Sequence[Any]) -> pa.Array:
    if set(map(type, values)) <= {str, NoneType}:
        return pa.array([value or None for value in values], pa.string())
    return pa.array([None if value is None or value == "" else value_text(value) for value in values], pa.string())


def _decide(values: Sequence[Any], kinds: Sequence[Kind | None]) -> Kind | None:
    counts = dict.fromkeys(("text", "whole", "fraction", "bool", "time"), 0)
    for value, kind in zip(values, kinds, strict=True):
        absent = kind == "text" and isinstance(value, str) and value.strip().casefold() in NOT_AVAILABLE
        if kind is not None and not absent:
            counts[kind] += 1
    total = sum(counts.values())
    if not total:
        return "text" if any(kind is not None for kind in kinds) else None
    if any(isinstance(value, str) and _zero_led(value) for value in values):
        return "text"
    groups: tuple[tuple[Kind, int], ...] = (
        ("fraction" if counts["fraction"] else "whole", counts["whole"] + counts["fraction"]),
        ("time", counts["time"]),
        ("bool", counts["bool"]),
    )
    kind, count = max(groups, key=lambda item: item[1])
    allowed = max(_EXCEPTIONS * total, 1 if count >= 4 else 0)
    return kind if count and total - count <= allowed else "text"


def _zero_led(text: str) -> bool:
    bare = text.strip().lstrip("+-")
    return len(bare) > 1 and bare[0] == "0" and bare.isdigit()


def _typed(values: Sequence[Any], kinds: Sequence[Kind | None], kind: Kind) -> tuple[pa.Array, pa.Array]:
    main: list[Any] = []
    text: list[str | None] = []
    for value, own in zip(values, kinds, strict=True):
        number: Any = value.number if isinstance(value, _Read) else value
        fits = own == kind or (kind == "fraction" and own == "whole" and abs(number) < _EXACT_FLOAT)
        if own is not None and fits:
            if kind == "time" and not isinstance(number, datetime):
                number = datetime.combine(number, time())  # Arrow has no date as an instant
            main.append(float(number) if kind == "fraction" else number)
            text.append(None)
        else:
            main.append(None)
            shown = value.text if isinstance(value, _Read) else value
            text.append(None if own is None else value_text(shown))
    return pa.array(main, _ARROW[kind]), pa.array(text, pa.string())
