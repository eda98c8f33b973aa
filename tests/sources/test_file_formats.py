"""File formats through a registry: which one is chosen, and what a source and a format must promise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from twinlab import sources
from twinlab.errors import SchemaError
from twinlab.model import Options
from twinlab.sources import FileFormat, FileHead, FileSource, Problem, RowBatch
from twinlab.sources.registry import FILE_FORMATS
from twinlab.testing import check_file_format, check_source


class PulseOptions(Options):
    """Options of the format."""

    channel: int = 1


@dataclass(frozen=True)
class PulseSource(FileSource):
    """Lines ``time value`` after a first line ``#PULSE``; comments begin with a number sign."""

    options: PulseOptions

    def batches(self) -> Iterator[RowBatch]:
        """Yield all rows as one batch."""
        rows, numbers, problems = [], [], []
        for number, line in enumerate(self.path.read_text("utf-8").splitlines(), start=1):
            if line.startswith("#"):
                continue
            match = re.fullmatch(r"(\S+) ([-\d.]+)", line)
            if match is None:
                problems.append(Problem(number, None, line, "expected a time and a number"))
            else:
                rows.append((match[1], float(match[2])))
                numbers.append(number)
        table = pa.RecordBatch.from_arrays(
            [
                pa.array([time for time, _ in rows], pa.string()),
                pa.array([value for _, value in rows], pa.float64()),
            ],
            names=["time", f"channel_{self.options.channel}"],
        )
        yield RowBatch(self.table, table, np.array(numbers, dtype=np.int64), {}, tuple(problems), self.path.name)


PULSE = FileFormat(
    "pulse",
    PulseSource,
    suffixes=(".pls",),
    recognises=lambda head: head.first_bytes.startswith(b"#PULSE"),
    options=PulseOptions,
)
TEXT = "#PULSE 2\n00:00 1.5\n00:01 broken\n00:02 -2\n"


@pytest.fixture
def pulse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    _add(monkeypatch, PULSE)
    path = tmp_path / "pumps.pls"
    path.write_text(TEXT, encoding="utf-8")
    return path


def _add(monkeypatch: pytest.MonkeyPatch, *formats: FileFormat) -> None:
    monkeypatch.setattr(FILE_FORMATS, "_added", {one.name: None for one in formats})
    for one in formats:
        monkeypatch.setitem(FILE_FORMATS._loaded, one.name, one)


def test_an_added_format_is_chosen_by_content_or_suffix_and_named_like_its_file(pulse: Path) -> None:
    check_file_format("pulse", pulse, rows=2, problem_rows=[3])
    check_file_format("pulse", pulse, rows=2, problem_rows=[3], channel=4)
    source = sources.open_source(pulse, reading={"options": {"channel": 4}})
    [batch] = source.batches()
    assert (source.name, batch.table, batch.rows.schema.names) == ("pumps", "pumps", ["time", "channel_4"])
    elsewhere = pulse.with_name("pumps.txt")
    elsewhere.write_text(TEXT, encoding="utf-8")
    assert isinstance(sources.open_source(elsewhere), PulseSource)
    plain = pulse.with_name("plain.pls")
    plain.write_text("00:00 1\n", encoding="utf-8")
    assert isinstance(sources.open_source(plain), PulseSource)


def test_other_files_are_read_as_before(pulse: Path) -> None:
    path = pulse.with_name("a.csv")
    path.write_bytes(b"a,b\n1,2\n")
    assert sources.open_source(path).reading.format == "csv"


def test_options_and_formats_that_do_not_exist_are_told(pulse: Path) -> None:
    with pytest.raises(SchemaError, match=r"reading.options.chanel: .*no option 'chanel'; did you mean 'channel'"):
        sources.open_source(pulse, reading={"options": {"chanel": 4}})
    with pytest.raises(SchemaError, match="did you mean 'pulse'"):
        sources.open_source(pulse, reading={"format": "puls"})
    with pytest.raises(SchemaError, match="'csv' has no option 'channel'"):
        sources.open_source(pulse, reading={"format": "csv", "options": {"channel": 4}})
    with pytest.raises(SchemaError, match="options is 4"):
        sources.open_source(pulse, reading={"options": 4})


def test_two_formats_that_recognise_one_file_are_told_apart_by_a_person(
    pulse: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(monkeypatch, PULSE, replace(PULSE, name="beat"))
    with pytest.raises(SchemaError, match="'beat' and 'pulse' both recognise it"):
        sources.open_source(pulse)
    assert isinstance(sources.open_source(pulse, reading={"format": "beat"}), PulseSource)


class _Dropping(PulseSource):
    def batches(self) -> Iterator[RowBatch]:
        for batch in super().batches():
            yield replace(batch, problems=())


class _Uncounted(PulseSource):
    def batches(self) -> Iterator[RowBatch]:
        for batch in super().batches():
            yield replace(batch, row_numbers=batch.row_numbers[::-1].copy())


class _Writing(PulseSource):
    def batches(self) -> Iterator[RowBatch]:
        yield from super().batches()
        self.path.write_text(TEXT + "\n", encoding="utf-8")


class _Growing(PulseSource):
    def batches(self) -> Iterator[RowBatch]:
        for batch in super().batches():
            rows = pa.RecordBatch.from_arrays([pa.array(np.zeros(70_000))], names=["value"])
            yield replace(batch, rows=rows, row_numbers=np.arange(1, 70_001))


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (_Dropping, "expected problems in the rows"),
        (_Uncounted, "must rise"),
        (_Writing, "changed its files"),
        (_Growing, "at most"),
    ],
)
def test_a_source_that_breaks_its_promise_is_told_how(pulse: Path, kind: type[PulseSource], message: str) -> None:
    source = kind(pulse, "pumps", None, sources.Reading(), PulseOptions())
    with pytest.raises(AssertionError, match=message):
        check_source(source, rows=2, problem_rows=[3])


def test_a_format_that_takes_all_files_or_lacks_rows_is_told(pulse: Path) -> None:
    greedy = replace(PULSE, recognises=lambda head: bool(head.first_bytes))
    with pytest.raises(AssertionError, match=r"recognises readings.csv, a file of another format"):
        check_file_format(greedy, pulse, rows=2, problem_rows=[3])
    with pytest.raises(AssertionError, match="expected 3 rows, got 2"):
        check_file_format(replace(PULSE, name="other"), pulse, rows=3, problem_rows=[3])
    unseen = replace(PULSE, name="csv")
    with pytest.raises(AssertionError, match="open_source reads pumps.pls as pulse"):
        check_file_format(unseen, pulse, rows=2)


def test_built_in_sources_conform(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,2\n1,2,3\n4,5\n")
    check_file_format("csv", path, rows=2, problem_rows=[3])
    lines = tmp_path / "b.jsonl"
    lines.write_bytes(b'{"a": 1}\nnonsense\n{"a": 2}\n')
    check_file_format("json_lines", lines, rows=2, problem_rows=[2])


def test_a_broken_package_does_not_keep_other_files_from_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.metadata import EntryPoint

    monkeypatch.setattr(FILE_FORMATS, "_added", {"gone": EntryPoint("gone", "no_such_module:X", "twinlab.sources")})
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.warns(UserWarning, match="'gone' of a package can't be imported"):
        assert sources.open_source(path).name == "a"


def test_a_head_is_read_through_compression(tmp_path: Path) -> None:
    import gzip

    path = tmp_path / "a.pls.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))
    head = FileHead(path, sources.Reading())
    assert head.kind == "gzip"
    assert head.first_bytes.startswith(b"#PULSE")
    assert head.suffixes == (".gz", ".pls")
