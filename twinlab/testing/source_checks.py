"""Conformance checks of a source and of a file format: what twinlab relies on when it reads files."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from twinlab.sources.base import BATCH_ROWS, Problem, RowBatch, Source
from twinlab.sources.detect import open_source
from twinlab.sources.file_format import FileFormat, FileHead
from twinlab.sources.reading import Reading
from twinlab.sources.registry import FILE_FORMATS

__all__ = ["check_file_format", "check_source"]

_TYPES = (pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.timestamp("us"))
#: Files of other formats, which a format must not recognise.
_OTHERS = {
    "readings.csv": b"time,sensor,value\n2026-01-01 00:00,a,1.5\n2026-01-01 00:01,b,2\n",
    "export.txt": "Zeit;Wert\n01.02.2026 00:00;1,5\n02.02.2026 00:00;2\n".encode("cp1252"),
    "feed.jsonl": b'{"time": "2026-01-01T00:00Z", "value": 1.5}\n{"time": "2026-01-01T00:01Z", "value": 2}\n',
    "tabs.tsv": b"time\tvalue\n2026-01-01\t1\n",
    "logger.prn": b"time  value\n00:00   1.5\n00:01   2.0\n",
    "archive.db": b"SQLite format 3\x00" + bytes(84),
    "table.parquet": b"PAR1" + bytes(32) + b"PAR1",
    "empty.csv": b"",
    "binary.dat": bytes(range(256)),
}


def check_source(source: Source, *, rows: int, problem_rows: Collection[int] = ()) -> None:
    """Check that a source reads what twinlab can keep.

    It reads every row once, in order, with its number; reports each row that it can't read, with its text; yields bounded
    batches of plain columns; reads the same again; and leaves its files as they were.

    Parameters
    ----------
    source : Source
    rows : int
        How many rows it must read. Rows that can't be read don't count.
    problem_rows : collection of int
        Numbers of the rows that can't be read.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong.

    >>> import pandas as pd
    >>> from twinlab.sources import frame
    >>> check_source(frame(pd.DataFrame({"sensor": ["a", "b"], "value": [1.5, 2]})), rows=2)
    """
    _check(isinstance(source, Source), f"expected a twinlab.sources.Source, got a {type(source).__name__}")
    before = {path: _stamp(path) for path in source.files()}
    batches = list(source.batches())
    after = {path: _stamp(path) for path in source.files()}
    _check(before == after, f"{source.name}: reading changed its files; open them for reading only")
    for batch in batches:
        _check_batch(source, batch)
    _check_numbers(source, batches)
    read = sum(batch.rows.num_rows for batch in batches)
    _check(read == rows, f"{source.name}: expected {rows} rows, got {read}; drop none and invent none")
    problems = [problem for batch in batches for problem in batch.problems]
    _check_problems(source, problems, problem_rows)
    again = list(source.batches())
    same = len(again) == len(batches) and all(
        one.rows.equals(other.rows) and one.problems == other.problems
        for one, other in zip(batches, again, strict=True)
    )
    _check(same, f"{source.name}: reading it a second time gives something else")


def check_file_format(
    file_format: FileFormat | str,
    path: str | Path,
    *,
    rows: int,
    problem_rows: Collection[int] = (),
    **options: object,
) -> None:
    """Check a file format with a file: it is chosen for this file and for no other, and its source conforms.

    Parameters
    ----------
    file_format : FileFormat or str
        The format, or its name in the registry.
    path : str or Path
        A file of this format.
    rows, problem_rows
        See `check_source`.
    **options
        The format's options, as ``reading: {options: ...}`` has them.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong.
    SchemaError
        If an option is wrong.
    """
    found = FILE_FORMATS.get(file_format) if isinstance(file_format, str) else file_format
    _check(isinstance(found, FileFormat), f"expected a twinlab.sources.FileFormat, got a {type(found).__name__}")
    with tempfile.TemporaryDirectory() as folder:
        for name, content in _OTHERS.items():
            other = Path(folder, name)
            other.write_bytes(content)
            head = FileHead(other, Reading())
            _check(not found.recognises(head), f"{found.name}: it recognises {name}, a file of another format")
    given = Reading(options=options or None)
    if found.name in FILE_FORMATS:
        source = open_source(path, reading=given)
        chosen = source.reading.format if hasattr(source, "reading") else found.name
        _check(
            chosen == found.name,
            f"{found.name}: open_source reads {Path(path).name} as {chosen}; extend `recognises` or `suffixes`",
        )
        check_source(source, rows=rows, problem_rows=problem_rows)
        return
    own = found.options.model_validate(options)
    more = {"options": own} if type(own).model_fields else {}
    source = found.open(path=Path(path), name=found.name, mapping=None, reading=given, **more)
    check_source(source, rows=rows, problem_rows=problem_rows)


def _check(condition: bool, message: str) -> None:  # noqa: FBT001
    if not condition:
        raise AssertionError(message)


def _stamp(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest()


def _check_batch(source: Source, batch: RowBatch) -> None:
    size, names = batch.rows.num_rows, batch.rows.schema.names
    _check(size <= BATCH_ROWS, f"{source.name}: a batch has {size} rows; yield at most {BATCH_ROWS} at once")
    _check(
        len(set(names)) == len(names), f"{source.name}: column names repeat in {names}; see sources.base.unique_names"
    )
    _check(
        batch.row_numbers.dtype == np.int64 and batch.row_numbers.shape == (size,),
        f"{source.name}: expected row_numbers as int64 of shape ({size},), got {batch.row_numbers.dtype} "
        f"{batch.row_numbers.shape}",
    )
    for field in batch.rows.schema:
        _check(
            field.type in _TYPES,
            f"{source.name}: column {field.name!r} is {field.type}; expected one of {', '.join(map(str, _TYPES))}",
        )
    if source.files():
        names_of_files = {path.name for path in source.files()}
        _check(batch.file in names_of_files, f"{source.name}: batch.file is {batch.file!r}, expected {names_of_files}")


def _check_numbers(source: Source, batches: Iterable[RowBatch]) -> None:
    last: dict[tuple[str, str | None], int] = {}
    for batch in batches:
        where = batch.table, batch.file
        numbers = np.append(last.get(where, 0), batch.row_numbers)
        _check(
            bool((np.diff(numbers) > 0).all()),
            f"{source.name}: row numbers of {batch.table!r} must rise from 1 on, as a person counts rows in the file",
        )
        last[where] = int(numbers[-1])


def _check_problems(source: Source, problems: list[Problem], expected: Collection[int]) -> None:
    found = sorted({problem.row for problem in problems})
    _check(
        found == sorted(expected),
        f"{source.name}: expected problems in the rows {sorted(expected)}, got {found}; report each row that can't be read",
    )
    for problem in problems:
        _check(
            bool(problem.text and problem.reason),
            f"{source.name}: the problem in row {problem.row} needs its text and a reason",
        )
