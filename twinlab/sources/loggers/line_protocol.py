"""InfluxDB line protocol: ``measurement,tag=value field=1.5,other="text" 1700000000000000000``.

A measurement is a table; its tags and fields are columns, and the timestamp is the column ``time``, as it is written:
the file doesn't say whether it counts seconds or nanoseconds.

References
----------
.. [1] InfluxData, "InfluxDB line protocol reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from twinlab.errors import SchemaError
from twinlab.sources.base import BATCH_ROWS, FileSource, Problem, RowBatch, problem_text
from twinlab.sources.file_format import FileFormat, FileHead
from twinlab.sources.loggers.base import HEAD_BYTES, first_lines, text_head
from twinlab.sources.opening import open_bytes, read_some
from twinlab.sources.parsing.decoding import MARK, utf8_blocks
from twinlab.sources.parsing.sniffing import refuse_other_kinds
from twinlab.sources.parsing.values import ValueColumns

__all__ = ["LINE_PROTOCOL", "LineProtocolSource", "is_line_protocol"]

_BLOCK = 1 << 20
_LONGEST_LINE = 1 << 26
#: Rows of all tables together that wait for their batch.
_ROWS = BATCH_ROWS // 4

_NAME = r"(?:\\.|[^\\,= ])+"
_VALUE = r'(?:"(?:\\.|[^"\\])*"|[^", ]+)'
_HEAD = re.compile(rf"(?P<table>(?:\\.|[^\\, ])+)(?P<tags>(?:,{_NAME}={_NAME})*) ")
_TAG = re.compile(rf",({_NAME})=({_NAME})")
_FIELD = re.compile(rf"({_NAME})=({_VALUE})(?:,|(?= |$))")
_TIME = re.compile(r" *(-?\d{1,19})? *")
_ESCAPED = re.compile(r"\\([,= \\])")
_QUOTED = re.compile(r'\\(["\\])')
_WHOLE = re.compile(r"([+-]?\d+)[iu]")
_FRACTION = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_BOOLS = {"t": True, "T": True, "true": True, "True": True, "TRUE": True} | {
    "f": False, "F": False, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


class _LineError(Exception):
    """A line that isn't line protocol; its text is the reason."""


def is_line_protocol(head: FileHead) -> bool:
    """Return whether the first lines with points are line protocol."""
    lines = [line for line in text_head(head)[:-1][:50] if line.strip() and not line.startswith("#")]
    lines = lines or [line for line in text_head(head) if line.strip() and not line.startswith("#")]
    # A damaged line doesn't hide the format; lines of tables have no blank between tags, fields and digits.
    return bool(lines) and 4 * sum(map(_is_point, lines[:20])) >= 3 * len(lines[:20])


def _is_point(line: str) -> bool:
    try:
        return parse_line(line)[1].get("time") is not None
    except _LineError:
        return False


def parse_line(line: str) -> tuple[str, dict[str, Any]]:
    """Return the measurement of a line, and its tags, fields and time.

    >>> parse_line("room,id=a temp=4.5,open=f 1700000000")
    ('room', {'id': 'a', 'temp': 4.5, 'open': False, 'time': 1700000000})
    """
    head = _HEAD.match(line)
    if MARK in line:
        msg = "bytes that are not in the file's encoding"
        raise _LineError(msg)
    if head is None:
        msg = "expected a measurement, tags and a blank before the fields"
        raise _LineError(msg)
    row: dict[str, Any] = {}
    for name, value in _TAG.findall(head["tags"]):
        _add(row, _ESCAPED.sub(r"\1", name), _ESCAPED.sub(r"\1", value))
    at = head.end()
    fields = 0
    while found := _FIELD.match(line, at):
        _add(row, _ESCAPED.sub(r"\1", found[1]), _value(found[2]))
        at, fields = found.end(), fields + 1
        if not line[at - 1 : at].endswith(","):
            break
    end = _TIME.fullmatch(line, at)
    if not fields or end is None or line[at - 1] == ",":
        msg = "expected fields such as temp=4.5, and a timestamp of digits"
        raise _LineError(msg)
    _add(row, "time", None if end[1] is None else int(end[1]))
    return _ESCAPED.sub(r"\1", head["table"]), row


def _add(row: dict[str, Any], name: str, value: object) -> None:
    free, count = name, 1
    while free in row:
        count += 1
        free = f"{name}__{count}"
    row[free] = value


def _value(text: str) -> object:
    if text.startswith('"'):
        return _QUOTED.sub(r"\1", text[1:-1])
    if whole := _WHOLE.fullmatch(text):
        return int(whole[1])
    if _FRACTION.fullmatch(text):
        return float(text)
    if text in _BOOLS:
        return _BOOLS[text]
    msg = f"{text!r} is no value; expected a number, true, false, or a text in quotes"
    raise _LineError(msg)


@dataclass
class _Table:
    """The rows of one measurement that wait for their batch."""

    columns: ValueColumns
    rows: list[dict[str, Any]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


class LineProtocolSource(FileSource):
    """A file of line protocol; a table for each measurement."""

    def batches(self) -> Iterator[RowBatch]:
        """Yield the points in batches of one measurement; lines that can't be read are Problems."""
        refuse_other_kinds(self.path)
        tables: dict[str, _Table] = {}
        problems: list[Problem] = []
        waiting, yielded = 0, False
        for number, line in self._lines():
            try:
                measurement, row = parse_line(line)
            except _LineError as error:
                problems.append(Problem(number, None, problem_text(line.replace(MARK, "")), str(error)))
            else:
                table = tables.get(measurement)
                if table is None:
                    table = tables[measurement] = _Table(
                        ValueColumns(text_columns=self.reading.text_columns, missing=self.reading.missing)
                    )
                table.rows.append(row)
                table.numbers.append(number)
            waiting += 1
            if waiting >= _ROWS:
                yield from self._flush(tables, problems)
                waiting, yielded, problems = 0, True, []
        if waiting or not yielded:
            yield from self._flush(tables, problems)

    def tags(self) -> dict[str, tuple[str, ...]]:
        """Return the tags of each measurement in the first points of the file, in their order."""
        with open_bytes(self.path) as stream:
            head = read_some(stream, HEAD_BYTES, self.path)
        found: dict[str, dict[str, None]] = {}
        for line in first_lines(head, self.reading.encoding):
            match = _HEAD.match(line)
            if match is not None and not line.startswith("#"):
                tags = found.setdefault(_ESCAPED.sub(r"\1", match["table"]), {})
                tags |= {_ESCAPED.sub(r"\1", name): None for name, _ in _TAG.findall(match["tags"])}
        return {table: tuple(names) for table, names in found.items()}

    def _flush(self, tables: dict[str, _Table], problems: list[Problem]) -> Iterator[RowBatch]:
        found = tuple(problems)
        for name, table in tables.items():
            if not table.rows:
                continue
            wanted = dict.fromkeys(column for row in table.rows for column in row)
            names, arrays = table.columns.convert({key: [row.get(key) for row in table.rows] for key in wanted})
            rows = pa.RecordBatch.from_arrays(arrays, names=names)
            numbers = np.array(table.numbers, dtype=np.int64)
            table.rows, table.numbers = [], []
            yield RowBatch(name, rows, numbers, {}, found, self.path.name)
            found = ()
        if found or not tables:
            rows = pa.RecordBatch.from_arrays([pa.nulls(0, pa.int64())], names=["time"])
            yield RowBatch(self.table, rows, np.zeros(0, dtype=np.int64), {}, found, self.path.name)

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Yield the lines with points, numbered from 1; blank lines and comments are left out."""
        number, rest = 0, b""
        with open_bytes(self.path) as stream:
            for block in utf8_blocks(stream, self.reading.encoding or "utf-8", size=_BLOCK, path=self.path):
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    number += 1
                    if (text := _text(line)) is not None:
                        yield number, text
                if len(rest) > _LONGEST_LINE:
                    msg = f"{self.path.name}, row {number + 1}: longer than 64 MiB; expected a point a line"
                    raise SchemaError(msg)
        if (text := _text(rest)) is not None:
            yield number + 1, text


def _text(line: bytes) -> str | None:
    text = line.decode("utf-8").rstrip("\r")
    return text if text.strip() and not text.startswith("#") else None


LINE_PROTOCOL = FileFormat("line_protocol", LineProtocolSource, (".lp",), recognises=is_line_protocol, signature=True)
