"""JSON lines: one object per line, nested objects flattened with dots; also one JSON array of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from twinlab.errors import SchemaError
from twinlab.sources.base import BATCH_ROWS, FileSource, Problem, RowBatch, file_path, file_stem, problem_text
from twinlab.sources.opening import open_bytes, read_some
from twinlab.sources.parsing.decoding import MARK, check_encoding, detect_encoding, is_binary, utf8_blocks
from twinlab.sources.parsing.json_objects import DECODER, flat_or_problem
from twinlab.sources.parsing.numerals import Numerals
from twinlab.sources.parsing.sniffing import refuse_other_kinds
from twinlab.sources.parsing.values import ValueColumns
from twinlab.sources.reading import reading_from

__all__ = ["JsonLinesSource", "json_lines"]

_BLOCK = 1 << 20
_LONGEST_LINE = 1 << 26
_MARK = MARK.encode()
#: Maximal number of lines of one batch: Python objects are large.
_LINES = BATCH_ROWS // 4


def json_lines(
    path: str | Path,
    *,
    mapping: str | Path | None = None,
    name: str | None = None,
    encoding: str | None = None,
    missing: Iterable[str] = (),
    text_columns: Iterable[str] = (),
) -> JsonLinesSource:
    """Return a source that reads JSON lines (or one array of objects), plain or compressed.

    Nested objects become columns ``outer.inner``; lists stay JSON text; lines that aren't an object are Problems.

    Parameters
    ----------
    path, mapping, name, encoding, missing, text_columns
        See `csv`.

    Raises
    ------
    SourceError
        If the file doesn't exist; while reading also if it is damaged.
    SchemaError
        While reading, if it is empty, binary, or a single JSON value that is no list of objects.
    """
    found = file_path(path)
    where = Path(mapping) if mapping is not None else None
    reading = reading_from(where, encoding=encoding, missing=missing, text_columns=text_columns)
    return JsonLinesSource(found, name or file_stem(found), where, reading)


class JsonLinesSource(FileSource):
    """A file with one JSON object per line."""

    def batches(self) -> Iterator[RowBatch]:
        """Yield the objects in batches; a key that first appears later is a column of the later batches only."""
        columns = ValueColumns(Numerals(), frozenset(self.reading.text_columns), frozenset(self.reading.missing))
        numbers: list[int] = []
        records: list[dict[str, Any]] = []
        problems: list[Problem] = []
        names: dict[str, None] = {}
        yielded = False
        empty: list[int] = []
        for number, item in self._items(empty):
            if isinstance(item, Problem):
                problems.append(item)
            else:
                numbers.append(number)
                records.append(item)
                names.update(dict.fromkeys(item))
            if len(records) >= _LINES or len(problems) >= _LINES:
                yield replace(self._batch(columns, names, records, numbers, problems), empty_rows=tuple(empty))
                yielded = True
                numbers, records, problems = [], [], []
                empty.clear()
        if records or problems or not yielded:
            yield replace(self._batch(columns, names, records, numbers, problems), empty_rows=tuple(empty))

    def _batch(
        self,
        columns: ValueColumns,
        names: Iterable[str],
        records: list[dict[str, Any]],
        numbers: list[int],
        problems: list[Problem],
    ) -> RowBatch:
        out, arrays = columns.convert({name: [record.get(name) for record in records] for name in names})
        fields = pa.schema([pa.field(name, array.type) for name, array in zip(out, arrays, strict=True)])
        rows = pa.RecordBatch.from_arrays(arrays, schema=fields)
        return RowBatch(self.table, rows, np.array(numbers, dtype=np.int64), {}, tuple(problems), self.path.name)

    def _items(self, empty: list[int]) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
        """Yield the objects with their row numbers; add to ``empty`` the numbers of the empty lines above one of them."""
        blank: list[int] = []
        encoding, array = self._start()
        if array:
            yield from self._array(encoding)
            return
        for number, line in enumerate(self._lines(encoding), start=1):
            if line and not line.isspace():
                empty += blank
                blank = []
                yield number, _object(line, number)
            else:
                blank.append(number)

    def _start(self) -> tuple[str, bool]:
        """Return the encoding and whether the file is one JSON array."""
        refuse_other_kinds(self.path)
        with open_bytes(self.path) as stream:
            sample = read_some(stream, 1 << 18, self.path)
        complete = len(sample) < 1 << 18
        if not sample.strip():
            msg = f"{self.path.name}: the file is empty; expected a JSON object a line: export it again"
            raise SchemaError(msg)
        encoding = self.reading.encoding or detect_encoding(sample, complete=complete)[0]
        if is_binary(sample, encoding):
            msg = f"{self.path.name}, row 1: binary bytes; expected a JSON object a line: check the file"
            raise SchemaError(msg)
        if self.reading.encoding:
            check_encoding(encoding, sample, complete=complete, file=self.path.name)
        text = b"".join(self._head(encoding)).lstrip()
        return encoding, text.startswith(b"[") and not _is_line_of_array(text)

    def _head(self, encoding: str) -> Iterator[bytes]:
        with open_bytes(self.path) as stream:
            yield next(utf8_blocks(stream, encoding, size=4096, path=self.path), b"")

    def _lines(self, encoding: str) -> Iterator[bytes]:
        rest = b""
        with open_bytes(self.path) as stream:
            for block in utf8_blocks(stream, encoding, size=_BLOCK, path=self.path):
                *lines, rest = (rest + block).split(b"\n")
                yield from lines
                if len(rest) > _LONGEST_LINE:
                    msg = f"{self.path.name}: a line is longer than 64 MiB; expected a JSON object a line"
                    raise SchemaError(msg)
        yield rest

    def _array(self, encoding: str) -> Iterator[tuple[int, dict[str, Any] | Problem]]:
        """Yield the objects of one JSON array, block by block; their row numbers are their positions in the array."""
        text, at, number, opened = "", 0, 0, False
        with open_bytes(self.path) as stream:
            for block in utf8_blocks(stream, encoding, size=_BLOCK, path=self.path):
                text, at = text[at:] + block.decode("utf-8"), 0
                if not opened:
                    text, opened = text.lstrip()[1:], True
                while True:
                    at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
                    try:
                        value, end = DECODER.raw_decode(text, at)
                    except json.JSONDecodeError:
                        break
                    if end == len(text):
                        break  # a number might continue in the next block
                    number, at = number + 1, end
                    yield number, flat_or_problem(value, number)
                if len(text) - at > _LONGEST_LINE:
                    break
        rest = text[at:].strip()
        if rest != "]":
            yield number + 1, Problem(number + 1, None, problem_text(rest), "not JSON from here on")


_BETWEEN = re.compile(r"[ \t\r\n,]*")


def _is_line_of_array(text: bytes) -> bool:
    """Return whether a text that starts with a bracket has one list per line, and not one array of objects."""
    first = text.split(b"\n", 1)[0].strip()
    if len(first) <= 1 or not first.endswith(b"]"):
        return False
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return not any(isinstance(item, dict) for item in value)


def _object(line: bytes, number: int) -> dict[str, Any] | Problem:
    text = line.decode("utf-8").rstrip("\r")
    if _MARK in line:
        return Problem(number, None, problem_text(text.replace(MARK, "")), "bytes that are not in the file's encoding")
    try:
        value = DECODER.decode(text)
    except json.JSONDecodeError as error:
        reason = f"not JSON: {error.msg} at character {error.pos + 1}"
        return Problem(number, None, problem_text(text), reason)
    except (ValueError, RecursionError) as error:  # an integer of thousands of digits; brackets in brackets
        return Problem(number, None, problem_text(text), f"not JSON that can be read: {error}")
    return flat_or_problem(value, number)
