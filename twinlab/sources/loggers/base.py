"""Delimited files with a header that a format knows: names, units, first row and facts about every row."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from twinlab.errors import SchemaError
from twinlab.sources.base import RowBatch, unique_names
from twinlab.sources.delimited import DelimitedSource
from twinlab.sources.file_format import TEXT_KINDS, FileHead
from twinlab.sources.opening import open_bytes, read_some
from twinlab.sources.parsing.decoding import check_encoding, detect_encoding, utf8_text
from twinlab.sources.parsing.layout import Layout, Row, repeatable
from twinlab.sources.parsing.records import split_cells
from twinlab.sources.parsing.sniffing import Sniffed, refuse_other_kinds, sniff

__all__ = ["HEAD_BYTES", "LoggerHeader", "LoggerSource", "first_lines", "text_head"]

#: Bytes at the start of a file in which a header must end.
HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class LoggerHeader:
    """The header of a logger's file."""

    names: tuple[str, ...]
    """Names of the columns."""
    first_row: int
    """1-based line of the first row of data."""
    delimiter: str = ","
    units: tuple[str, ...] = ()
    """Unit of each column as written; "" where none is stated."""
    header_rows: tuple[int, ...] = ()
    units_row: int = 0
    heads: tuple[Row, ...] = ()
    """Rows of the header, to report them if they are repeated among the data."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Facts about every row, such as the station: name of an added column -> its text."""
    numbers: frozenset[str] = frozenset()
    """Columns of numbers, even if many cells are texts."""
    texts: frozenset[str] = frozenset()
    """Columns of texts, even if all cells are numbers."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Column -> what the header says about it: its processing or description."""
    ignored: Mapping[str, str] = field(default_factory=dict)
    """Column without a meaning of its own, such as a record number -> the reason."""
    events: tuple[str, ...] = ()
    """Columns in which the logger marks the instants of its own events."""
    evidence: tuple[str, ...] = ()


class LoggerSource(DelimitedSource):
    """A delimited file whose header is read by a format's own rules; see `DelimitedSource` for the rows."""

    #: How people call the format, in messages.
    title = "logger"

    @abstractmethod
    def read_header(self, lines: Sequence[str]) -> LoggerHeader:
        """Return the header from the first lines of the file; `refused` if they have another form."""

    def header(self) -> LoggerHeader:
        """Return the header of the file.

        Raises
        ------
        SourceError
            If the file can't be read.
        SchemaError
            If the first lines aren't a whole header of the format.
        """
        refuse_other_kinds(self.path)
        with open_bytes(self.path) as stream:
            head = read_some(stream, HEAD_BYTES, self.path)
        if self.reading.encoding:
            check_encoding(self.reading.encoding, head, complete=False, file=self.path.name)
        return self.read_header(first_lines(head, self.reading.encoding))

    def refused(self, row: int, why: str) -> SchemaError:
        """Return the error for a file whose header has another form."""
        return SchemaError(
            f"{self.path.name}, row {row}: {why}; it was read as {self.title}: export it again, or state another "
            "format, as in `reading: {format: csv}`"
        )

    def sniff(self) -> Sniffed:
        """Return the options of the file, from its header, and the evidence."""
        header = self.header()
        reading = replace(self.reading, delimiter=header.delimiter, header_rows=None, units_row=None, columns=None)
        found = sniff(self.path, reading=reading)
        width = len(header.names)
        heads = repeatable([cells for _, cells in header.heads], None, width)
        layout = Layout(
            header.header_rows, header.units_row, header.first_row, width, header.names, header.units,
            header.evidence, heads, header.numbers,
        )  # fmt: skip
        texts = dict.fromkeys((*found.reading.text_columns, *sorted(header.texts)))
        settled = replace(
            found.reading, header_rows=header.header_rows, units_row=header.units_row, skip_rows=header.first_row - 1,
            text_columns=tuple(texts),
        )  # fmt: skip
        evidence = (found.evidence[0], f"{self.title}: recognised by its first lines", *header.evidence)
        return Sniffed(settled, layout, found.numerals, evidence, found.warnings)

    def batches(self) -> Iterator[RowBatch]:
        """Yield the rows in batches; facts of the header are added as columns after those of the file."""
        facts = self.header().facts
        for batch in super().batches():
            yield with_facts(batch, facts) if facts else batch


def with_facts(batch: RowBatch, facts: Mapping[str, str]) -> RowBatch:
    """Return a batch with a column of text for each fact; a column of the file keeps its name."""
    names = unique_names([*batch.rows.schema.names, *facts])
    arrays = [pa.repeat(pa.scalar(text, pa.string()), batch.rows.num_rows) for text in facts.values()]
    return replace(batch, rows=pa.RecordBatch.from_arrays([*batch.rows.columns, *arrays], names=names))


def first_lines(head: bytes, encoding: str | None = None) -> list[str]:
    """Return the lines at the start of a file, blank ones too, without a byte order mark; the last may be incomplete."""
    codec = encoding or detect_encoding(head, complete=False)[0]
    text = utf8_text(head, codec, complete=False).decode("utf-8", errors="replace").lstrip("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def text_head(head: FileHead) -> list[str]:
    """Return the first lines of a file that may be text; none for other kinds, and where options name its layout."""
    given = head.reading
    stated = given.delimiter or given.widths or given.header_rows is not None or given.columns
    if head.kind not in TEXT_KINDS - {"empty"} or stated or b"\0" in head.first_bytes[:200].lstrip(b"\xff\xfe\xfe\xff"):
        return []
    try:
        "".encode(given.encoding or "utf-8")
        return first_lines(head.first_bytes, given.encoding)
    except LookupError:  # no encoding of text; the reader of the file says so
        return []


def cells_of(line: str, delimiter: str = ",") -> list[str]:
    """Return the cells of a line without blanks around them."""
    return [cell.strip() for cell in split_cells(line, delimiter=delimiter, quote='"')]
