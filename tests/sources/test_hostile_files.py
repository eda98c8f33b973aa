"""Files as people and machines leave them; for each the exact outcome is stated."""

from __future__ import annotations

import gzip
import io
import math
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from twinlab import sources
from twinlab.errors import SchemaError, SourceError, TwinlabError
from twinlab.model.schema import TEXT_SUFFIX as T


@dataclass
class Case:
    """A file and what must come of it."""

    name: str
    content: bytes | Callable[[], bytes]
    columns: dict[str, list[Any]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    """Row and a part of the reason, of each problem in order."""
    units: dict[str, str] = field(default_factory=dict)
    reading: dict[str, Any] = field(default_factory=dict)
    suffix: str = ".csv"
    error: type[TwinlabError] | None = None
    parts: tuple[str, ...] = ()
    """Words the error's message must hold."""


def book(
    *rows: list[Any], change: Callable[[Any], None] | None = None, epoch_1904: bool = False
) -> Callable[[], bytes]:
    """Return a function that makes a workbook of one sheet."""

    def make() -> bytes:
        workbook = openpyxl.Workbook()
        if epoch_1904:
            workbook.epoch = CALENDAR_MAC_1904
        sheet = workbook.active
        for row in rows:
            sheet.append(row)
        if change:
            change(sheet)
        out = io.BytesIO()
        workbook.save(out)
        return out.getvalue()

    return make


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return out.getvalue()


def _cached_error(sheet: Any) -> None:
    sheet["B2"].value = "#REF!"
    sheet["B2"].data_type = "e"
    sheet["B3"].value = "#DIV/0!"
    sheet["B3"].data_type = "e"


def _merge(sheet: Any) -> None:
    sheet.merge_cells("B1:C1")
    sheet.merge_cells("D1:E1")


def _hide(sheet: Any) -> None:
    sheet.row_dimensions[3].hidden = True


PLAIN = {"a": [1, 2], "b": [1.5, 2.5]}

TEXT = [
    Case("a clean file", b"a,b\n1,1.5\n2,2.5\n", PLAIN, [2, 3]),
    Case("no line end at the end", b"a,b\n1,1.5\n2,2.5", PLAIN, [2, 3]),
    Case("Windows line ends", b"a,b\r\n1,1.5\r\n2,2.5\r\n", PLAIN, [2, 3]),
    Case("old Mac line ends", b"a,b\r1,1.5\r2,2.5\r", PLAIN, [2, 3]),
    Case("mixed line ends", b"a,b\r\n1,1.5\n2,2.5\r3,3.5\r\n", {"a": [1, 2, 3], "b": [1.5, 2.5, 3.5]}, [2, 3, 4]),
    Case("a UTF-8 byte order mark", b"\xef\xbb\xbfa,b\n1,1.5\n2,2.5\n", PLAIN, [2, 3]),
    Case("UTF-16 with its mark", "\ufeffa,b\n1,1.5\n2,2.5\n".encode("utf-16-le"), PLAIN, [2, 3]),
    Case("UTF-16 big end first", "\ufeffa,b\n1,1.5\n2,2.5\n".encode("utf-16-be"), PLAIN, [2, 3]),
    Case(
        "UTF-16 without its mark", "a;ä\r\n1;ö\r\n2;ü\r\n".encode("utf-16-le"), {"a": [1, 2], "ä": ["ö", "ü"]}, [2, 3]
    ),
    Case(
        "cp1252 letters",
        "a,Straße\n1,Köln\n2,Düren\n".encode("cp1252"),
        {"a": [1, 2], "Straße": ["Köln", "Düren"]},
        [2, 3],
    ),
    Case("cp1252 quotes and euro", "a,b\n1,€\n2,“x”\n".encode("cp1252"), {"a": [1, 2], "b": ["€", "“x”"]}, [2, 3]),
    Case("bytes that cp1252 doesn't know", b"a,b\n1,\x81\n2,\xe4\n", {"a": [1, 2], "b": ["\x81", "ä"]}, [2, 3]),
    Case(
        "the wrong encoding declared",
        "a,b\n1,ä\n".encode("cp1252"),
        reading={"encoding": "utf-8"},
        error=SchemaError,
        parts=("row 2", "0xe4", "utf-8", "cp1252", "declare"),
    ),
    Case(
        "UTF-16 declared as cp1252",
        "a,b\n1,2\n".encode("utf-16"),
        reading={"encoding": "cp1252"},
        error=SchemaError,
        parts=("utf-16-le", "declare"),
    ),
    Case(
        "UTF-8 declared as cp1252",
        "a,b\n1,ä\n".encode(),
        {"a": [1], "b": ["Ã¤"]},
        [2],
        [(1, "valid UTF-8")],
        reading={"encoding": "cp1252"},
    ),
    Case(
        "an unknown encoding",
        b"a,b\n1,2\n",
        reading={"encoding": "utf-9"},
        error=SchemaError,
        parts=("utf-9", "unknown"),
    ),
    Case("semicolons", b"a;b\n1;1.5\n2;2.5\n", PLAIN, [2, 3]),
    Case("tabs", b"a\tb\n1\t1.5\n2\t2.5\n", PLAIN, [2, 3]),
    Case("pipes", b"a|b\n1|1.5\n2|2.5\n", PLAIN, [2, 3]),
    Case("a first line that names the delimiter", b"sep=|\na|b\n1|1.5\n2|2.5\n", PLAIN, [3, 4]),
    Case("blanks between the cells", b"a b\n1 1.5\n2   2.5\n", PLAIN, [2, 3]),
    Case("decimal commas", b"a;b\n1;1,5\n2;2,5\n", PLAIN, [2, 3]),
    Case("decimal commas between commas", b'a,b\n1,"1,5"\n2,"2,5"\n', PLAIN, [2, 3]),
    Case("thousands points", b"a;b\n1;1.234,5\n2;1.234.567\n", {"a": [1, 2], "b": [1234.5, 1234567.0]}, [2, 3]),
    Case("thousands commas", b'a,b\n1,"1,234.5"\n2,"1,234,567"\n', {"a": [1, 2], "b": [1234.5, 1234567.0]}, [2, 3]),
    Case(
        "thousands blanks",
        "a;b\n1;1 234,5\n2;1\u00a0234\u202f567\n".encode(),
        {"a": [1, 2], "b": [1234.5, 1234567.0]},
        [2, 3],
    ),
    Case("Swiss thousands", b"a;b\n1;1'234.5\n2;2'000\n", {"a": [1, 2], "b": [1234.5, 2000.0]}, [2, 3]),
    Case(
        "a comma that may mean either stays text",
        b"a;b\n1;1,234\n2;2,345\n",
        {"a": [1, 2], "b": ["1,234", "2,345"]},
        [2, 3],
    ),
    Case(
        "that comma declared",
        b"a;b\n1;1,234\n2;2,345\n",
        {"a": [1, 2], "b": [1.234, 2.345]},
        [2, 3],
        reading={"decimal": ","},
    ),
    Case(
        "units in the second row",
        b"t,temp,hum\n,\xc2\xb0F,%\n1,2.5,3\n2,3.5,4\n",
        {"t": [1, 2], "temp": [2.5, 3.5], "hum": [3, 4]},
        [3, 4],
        units={"temp": "°F", "hum": "%"},
    ),
    Case(
        "units in brackets",
        b"t;temp;wind\n[s];[degC];[m/s]\n1;2,5;3\n2;3,5;4\n",
        {"t": [1, 2], "temp": [2.5, 3.5], "wind": [3, 4]},
        [3, 4],
        units={"t": "s", "temp": "degC", "wind": "m/s"},
    ),
    Case(
        "a merged header of two rows",
        b"time,Room 1,,Room 2,\n,T,H,T,H\n1,2,3,4,5\n2,3,4,5,6\n",
        {"time": [1, 2], "Room 1 T": [2, 3], "Room 1 H": [3, 4], "Room 2 T": [4, 5], "Room 2 H": [5, 6]},
        [3, 4],
    ),
    Case(
        "a merged header with units",
        b"time;Room 1;\n;T;H\n;\xb0C;%\n1;2,5;3\n2;3,5;4\n",
        {"time": [1, 2], "Room 1 T": [2.5, 3.5], "Room 1 H": [3, 4]},
        [4, 5],
        units={"Room 1 T": "°C", "Room 1 H": "%"},
    ),
    Case(
        "titles above the header",
        b"Weather report\nStation,KEWR\n\nt,temp,hum\n1,2,3\n2,3,4\n",
        {"t": [1, 2], "temp": [2, 3], "hum": [3, 4]},
        [5, 6],
    ),
    Case(
        "titles filled up with commas",
        b"Weather report,,\n,,\nt,temp,hum\n1,2,3\n2,3,4\n",
        {"t": [1, 2], "temp": [2, 3], "hum": [3, 4]},
        [4, 5],
    ),
    Case("no header", b"1,1.5\n2,2.5\n", {"column_1": [1, 2], "column_2": [1.5, 2.5]}, [1, 2]),
    Case(
        "no header, declared",
        b"x,y\nz,w\n",
        {"column_1": ["x", "z"], "column_2": ["y", "w"]},
        [1, 2],
        reading={"header_rows": []},
    ),
    Case(
        "a header given by name", b"1,1.5\n2,2.5\n", PLAIN, [1, 2], reading={"columns": ["a", "b"], "header_rows": []}
    ),
    Case(
        "the header in a row given", b"x\nignore,me\na,b\n1,1.5\n2,2.5\n", PLAIN, [4, 5], reading={"header_rows": [3]}
    ),
    Case("duplicate columns", b"a,a,a__2\n1,2,3\n", {"a": [1], "a__3": [2], "a__2": [3]}, [2]),
    Case("a column without a name", b"a,,c\n1,2,3\n", {"a": [1], "column_2": [2], "c": [3]}, [2]),
    Case("blanks round the names", b" a , b\n1,1.5\n2,2.5\n", PLAIN, [2, 3]),
    Case("a line end in a name", b'"a\nx",b\n1,1.5\n2,2.5\n', {"a x": [1, 2], "b": [1.5, 2.5]}, [3, 4]),
    Case(
        "a delimiter at the end of each row but the header",
        b"a,b\n1,1.5,\n2,2.5,\n",
        {**PLAIN, "column_3": [None, None]},
        [2, 3],
    ),
    Case("the header again inside", b"a,b\n1,1.5\na,b\n2,2.5\n", PLAIN, [2, 4], [(3, "the header again")]),
    Case(
        "header and units again inside",
        b"a,b\ns,mph\n1,1.5\na,b\ns,mph\n2,2.5\n",
        PLAIN,
        [3, 6],
        [(4, "the header again"), (5, "the units again")],
        units={"a": "s", "b": "mph"},
    ),
    Case("blank lines", b"\n\na,b\n\n1,1.5\n\n\n2,2.5\n\n", PLAIN, [5, 8]),
    Case("rows of empty cells", b"a,b\n1,1.5\n,\n2,2.5\n,\n", PLAIN, [2, 4]),
    Case("a total at the end", b"a,b\n1,1.5\n2,2.5\nTotal,\n", PLAIN, [2, 3], [(4, "footer")]),
    Case("a closing remark", b"a,b\n1,1.5\n2,2.5\n--- end of export ---\n", PLAIN, [2, 3], [(4, "footer")]),
    Case(
        "a footer, declared", b"a,b\n1,1.5\n2,2.5\n3,sum\n", PLAIN, [2, 3], [(4, "footer")], reading={"footer_rows": 1}
    ),
    Case(
        "rows with too many and too few cells",
        b"a,b\n1,1.5\n5\n6,7,8\n2,2.5\n",
        PLAIN,
        [2, 5],
        [(3, "1 cells where 2"), (4, "3 cells where 2")],
    ),
    Case("row numbers after line ends in quotes", b'a,b\n1,"x\ny"\n2,"z"\n', {"a": [1, 2], "b": ["x\ny", "z"]}, [2, 4]),
    Case(
        "quotes in quotes", b'a,b\n1,"say ""x"", please"\n2,y\n', {"a": [1, 2], "b": ['say "x", please', "y"]}, [2, 3]
    ),
    Case("inch marks", b'a,b\n1,5" pipe\n2,"6"" pipe"\n', {"a": [1, 2], "b": ['5" pipe', '6" pipe']}, [2, 3]),
    Case("blanks before a quote", b'a,b\n1, "x, y"\n2,z\n', {"a": [1, 2], "b": ["x, y", "z"]}, [2, 3]),
    Case(
        "a quote that never closes",
        b'a,b\n1,"x\n2,y\n3,z\n',
        {"a": [2, 3], "b": ["y", "z"]},
        [3, 4],
        [(2, "does not close")],
    ),
    Case(
        "a quote that closes inside a cell",
        b'a,b\n1,"x" y\n2,z\n3,w\n',
        {"a": [2, 3], "b": ["z", "w"]},
        [3, 4],
        [(2, "does not close")],
    ),
    Case(
        "a quote opened before a quoted row",
        b'a,b\n"1,x\n"2",y\n3,z\n',
        {"a": [2, 3], "b": ["y", "z"]},
        [3, 4],
        [(2, "does not close")],
    ),
    Case(
        "quotes that mean nothing",
        b'a,b\n1,"x\n2,y"\n',
        {"a": [1, 2], "b": ['"x', 'y"']},
        [2, 3],
        reading={"quote": ""},
    ),
    Case(
        "single quotes, declared",
        b"a,b\n1,'x, y'\n2,z\n",
        {"a": [1, 2], "b": ["x, y", "z"]},
        [2, 3],
        reading={"quote": "'"},
    ),
    Case("zero bytes in a cell", b"a,b\n1,x\0y\n2,z\n3,w\n", {"a": [1, 2, 3], "b": ["x\0y", "z", "w"]}, [2, 3, 4]),
    Case(
        "words among numbers",
        b"a,b\n" + b"1,1.5\n" * 9 + b"2,offline\n3,NA\n4,#N/A\n",
        {"a": [1] * 9 + [2, 3, 4], "b": [1.5] * 9 + [None] * 3, "b" + T: [None] * 9 + ["offline", "NA", "#N/A"]},
        [*range(2, 14)],
    ),
    Case("codes for missing values stay", b"a,b\n1,-9999\n2,-9999.0\n", {"a": [1, 2], "b": [-9999.0, -9999.0]}, [2, 3]),
    Case(
        "texts declared missing",
        b"a,b\n1,NA\n2,2.5\nNA,x\n",
        {"a": [1, 2, None], "b": [None, "2.5", "x"]},
        [2, 3, 4],
        reading={"missing": ["NA"]},
    ),
    Case(
        "leading zeros are text",
        b"id,hhmm\n007,0517\n010,1200\n",
        {"id": ["007", "010"], "hhmm": ["0517", "1200"]},
        [2, 3],
    ),
    Case(
        "numbers too long for a number",
        b"id,x\n12345678901234567890,1\n2,2\n",
        {"id": ["12345678901234567890", "2"], "x": [1, 2]},
        [2, 3],
    ),
    Case(
        "numbers declared text",
        b"a,b\n1,1.5\n2,2.5\n",
        {"a": ["1", "2"], "b": [1.5, 2.5]},
        [2, 3],
        reading={"text_columns": ["a"]},
    ),
    Case(
        "plus signs, exponents and bare points",
        b"a,b\n+1,1e3\n2,.5\n3,5.\n-4,-1E-2\n",
        {"a": [1, 2, 3, -4], "b": [1000.0, 0.5, 5.0, -0.01]},
        [2, 3, 4, 5],
    ),
    Case(
        "infinities and hexadecimals are text",
        b"a,b,c\n1,inf,0x1F\n2,nan,0x2\n3,1e999,1_0\n",
        {"a": [1, 2, 3], "b": ["inf", "nan", "1e999"], "c": ["0x1F", "0x2", "1_0"]},
        [2, 3, 4],
    ),
    Case("blanks round numbers", b"a,b\n 1 ,1.5\n2, 2.5\t\n", PLAIN, [2, 3]),
    Case(
        "mixed date formats stay text",
        b"t,x\n2013-01-02,1\n02.01.2013,2\n1/2/13,3\n41276,4\n",
        {"t": ["2013-01-02", "02.01.2013", "1/2/13", "41276"], "x": [1, 2, 3, 4]},
        [2, 3, 4, 5],
    ),
    Case(
        "a very long line",
        b"a,b\n1," + b"x" * 5_000_000 + b"\n2,y\n",
        {"a": [1, 2], "b": ["x" * 5_000_000, "y"]},
        [2, 3],
    ),
    Case("a very long first line", b"a,b" + b"x" * 700_000 + b"\n1,2\n", {"a": [1], "b" + "x" * 700_000: [2]}, [2]),
    Case(
        "comments above the header",
        b"# made by a logger, version 2\n# units, as usual\na,b\n1,1.5\n2,2.5\n",
        PLAIN,
        [4, 5],
    ),
    Case("a header that is a comment", b"#a,b\n1,1.5\n2,2.5\n", {"#a": [1, 2], "b": [1.5, 2.5]}, [2, 3]),
    Case(
        "R's row numbers",
        b'"a" "b"\n"1" 5 1.5\n"2" 6 2.5\n',
        {"column_1": [1, 2], "a": [5, 6], "b": [1.5, 2.5]},
        [2, 3],
    ),
    Case(
        "a table of units",
        b"name,unit\ntemp,\xc2\xb0C\nhum,%\n",
        {"name": ["temp", "hum"], "unit": ["°C", "%"]},
        [2, 3],
    ),
    Case(
        "a merged header again inside",
        b"time,Room 1,\n,T,H\n1,2,3\n2,3,4\ntime,Room 1,\n,T,H\n3,4,5\n",
        {"time": [1, 2, 3], "Room 1 T": [2, 3, 4], "Room 1 H": [3, 4, 5]},
        [3, 4, 7],
        [(5, "the header again"), (6, "the header again")],
    ),
    Case(
        "more names than columns",
        b"1,2\n3,4\n",
        reading={"columns": ["a", "b", "c"], "header_rows": []},
        error=SchemaError,
        parts=("3 columns", "2 cells", "correct columns"),
    ),
    Case(
        "a header declared where none is",
        b"a\n1\n",
        reading={"header_rows": [9]},
        error=SchemaError,
        parts=("row 9", "header_rows"),
    ),
    Case(
        "a codec that is none of text", b"a,b\n1,2\n", reading={"encoding": "hex"}, error=SchemaError, parts=("'hex'",)
    ),
    Case("only a header", b"a,b\n", {"a": [], "b": []}, []),
    Case("one column", b"a\n1\n2\n", {"a": [1, 2]}, [2, 3]),
    Case("an empty file", b"", error=SchemaError, parts=("empty", "expected")),
    Case("only blank lines", b"\n\n  \n", error=SchemaError, parts=("no rows", "expected")),
    Case("only a byte order mark", b"\xef\xbb\xbf", error=SchemaError, parts=("no rows",)),
    Case("binary junk", bytes(range(256)) * 40, error=SchemaError, parts=("row 1", "binary")),
    Case("a picture named .csv", b"\x89PNG\r\n\x1a\n" + bytes(100), error=SchemaError, parts=("png",)),
    Case("a PDF named .csv", b"%PDF-1.7 \n%\xe2\xe3", error=SchemaError, parts=("pdf",)),
    Case("a login page named .csv", b"\n<!DOCTYPE html><html>", error=SchemaError, parts=("web page", "export")),
    Case("one row of numbers", b"1,2,3\n", {"column_1": [1], "column_2": [2], "column_3": [3]}, [1]),
    Case(
        "a buoy's two header rows",
        b"#YY  MM WDIR WSPD\n#yr  mo degT m/s\n2013 1 230  5.1\n2013 2 MM  6.1\n2013 3 10  7\n2013 4 1  8\n",
        {
            "#YY": [2013] * 4,
            "MM": [1, 2, 3, 4],
            "WDIR": [230, None, 10, 1],
            "WDIR" + T: [None, "MM", None, None],
            "WSPD": [5.1, 6.1, 7.0, 8.0],
        },
        [3, 4, 5, 6],
        units={"#YY": "#yr", "MM": "mo", "WDIR": "degT", "WSPD": "m/s"},
    ),
    Case("zeros alone", bytes(5000), error=SchemaError, parts=("binary",)),
    Case("gzip", gzip.compress(b"a,b\n1,1.5\n2,2.5\n"), PLAIN, [2, 3], suffix=".csv.gz"),
    Case(
        "gzip cut short",
        gzip.compress(b"a,b\n" + b"1,1.5\n" * 5000)[:-9],
        suffix=".csv.gz",
        error=SourceError,
        parts=("retry",),
    ),
    Case("zip", zipped(x_csv=b"a,b\n1,1.5\n2,2.5\n"), PLAIN, [2, 3], suffix=".csv.zip"),
    Case(
        "zip of two",
        zipped(x_csv=b"a\n1\n", y_csv=b"b\n2\n"),
        suffix=".zip",
        error=SchemaError,
        parts=("2 files", "x.csv, y.csv", "unpack"),
    ),
    Case(
        "zip cut short",
        zipped(x_csv=b"a,b\n1,1.5\n")[:-30],
        suffix=".csv.zip",
        error=SourceError,
        parts=("can't be read",),
    ),
    Case(
        "aligned columns",
        b"station   temp   place\nKEWR      12.5   New York\nKLGA       3.5\nKJFK     -10.0   Queens\n",
        {"station": ["KEWR", "KLGA", "KJFK"], "temp": [12.5, 3.5, -10.0], "place": ["New York", None, "Queens"]},
        [2, 3, 4],
        suffix=".dat",
    ),
    Case(
        "aligned columns under a title, with a ruler",
        b"Report of the day\n\nstation   temp  place\n-------- ------ --------\nKEWR       12.5 New York\nKLGA        3.5\n",
        {"station": ["KEWR", "KLGA"], "temp": [12.5, 3.5], "place": ["New York", None]},
        [5, 6],
        suffix=".txt",
    ),
    Case(
        "fixed widths",
        b"20130101001.5x\n201301020 2.5\n",
        {"day": [20130101, 20130102], "v": ["001.5", "0 2.5"], "s": ["x", None]},
        [1, 2],
        reading={"widths": [8, 5, 3], "columns": ["day", "v", "s"], "header_rows": []},
    ),
]

JSON = [
    Case(
        "broken JSON lines",
        b'{"a": 1}\n{"a": \n\n[1]\n"x"\n{"a": 2}\n',
        {"a": [1, 2]},
        [1, 6],
        [(2, "not JSON"), (4, "a JSON list where an object"), (5, "a JSON str")],
        suffix=".jsonl",
    ),
    Case(
        "nested objects",
        b'{"a": {"b": {"c": 1}, "d": [1, {"e": 2}]}, "f": {}}\n',
        {"a.b.c": [1], "a.d": ['[1, {"e": 2}]'], "f": ["{}"]},
        [1],
        suffix=".jsonl",
    ),
    Case(
        "keys that stand twice",
        b'{"a": 1, "a": 2, "b.c": 3, "b": {"c": 4}}\n',
        {"a": [1], "a__2": [2], "b.c": [3], "b.c__2": [4]},
        [1],
        suffix=".jsonl",
    ),
    Case(
        "values of several types",
        b'{"a": 1, "b": true}\n{"a": "x", "b": null}\n{"a": 2.5, "b": false}\n',
        {"a": ["1", "x", "2.5"], "b": [True, None, False]},
        [1, 2, 3],
        suffix=".jsonl",
    ),
    Case(
        "JSON's NaN and huge numbers",
        b'{"a": NaN, "b": 123456789012345678901}\n{"a": 1.5, "b": 1}\n',
        {"a": [None, 1.5], "a" + T: ["NaN", None], "b": ["123456789012345678901", "1"]},
        [1, 2],
        suffix=".jsonl",
    ),
    Case("an array of objects", b'[\n {"a": 1},\n {"a": 2}\n]\n', {"a": [1, 2]}, [1, 2], suffix=".json"),
    Case(
        "an array cut short",
        b'[{"a": 1}, {"a": 2}, {"a"',
        {"a": [1, 2]},
        [1, 2],
        [(3, "not JSON from here")],
        suffix=".json",
    ),
    Case("JSON with a byte order mark", '\ufeff{"a": "ä"}\r\n'.encode("utf-16-le"), {"a": ["ä"]}, [1], suffix=".jsonl"),
    Case("an empty JSON file", b" \n", suffix=".jsonl", error=SchemaError, parts=("empty",)),
]

DAY = datetime(2013, 2, 12)
EXCEL = [
    Case("a workbook", book(["a", "b"], [1, 1.5], [2, 2.5]), PLAIN, [2, 3], suffix=".xlsx"),
    Case("a workbook named .csv", book(["a", "b"], [1, 1.5], [2, 2.5]), PLAIN, [2, 3]),
    Case(
        "date cells",
        book(["t", "x"], [DAY, 1], [datetime(2013, 2, 12, 6, 30), 2]),
        {"t": [DAY, datetime(2013, 2, 12, 6, 30)], "x": [1, 2]},
        [2, 3],
        suffix=".xlsx",
    ),
    Case(
        "date cells of 1904",
        book(["t", "x"], [DAY, 1], [DAY, 2], epoch_1904=True),
        {"t": [DAY, DAY], "x": [1, 2]},
        [2, 3],
        suffix=".xlsx",
    ),
    Case(
        "serial dates without a format stay numbers",
        book(["t", "x"], [41317.25, 1], [41318, 2]),
        {"t": [41317.25, 41318.0], "x": [1, 2]},
        [2, 3],
        suffix=".xlsx",
    ),
    Case(
        "formulas whose values are errors",
        book(["a", "b"], [1, 0], [2, 0], [3, 1.5], [4, 2.5], change=_cached_error),
        {"a": [1, 2, 3, 4], "b": [None, None, 1.5, 2.5], "b" + T: ["#REF!", "#DIV/0!", None, None]},
        [2, 3, 4, 5],
        suffix=".xlsx",
    ),
    Case(
        "a formula without a saved value",
        book(["a", "b"], [1, 1.5], [2, "=A2*2"]),
        {"a": [1, 2], "b": [1.5, None]},
        [2, 3],
        [(3, "B3: a formula without")],
        suffix=".xlsx",
    ),
    Case(
        "numbers typed as text",
        book(["a", "b"], [1, 1.5], [2, "12,5 "], [3, 3.5], [4, 4.5]),
        {"a": [1, 2, 3, 4], "b": [1.5, 12.5, 3.5, 4.5]},
        [2, 3, 4, 5],
        suffix=".xlsx",
    ),
    Case(
        "merged cells above",
        book(
            ["time", "Room 1", None, "Room 2", None],
            [None, "T", "H", "T", "H"],
            [1, 2, 3, 4, 5],
            [2, 3, 4, 5, 6],
            change=_merge,
        ),
        {"time": [1, 2], "Room 1 T": [2, 3], "Room 1 H": [3, 4], "Room 2 T": [4, 5], "Room 2 H": [5, 6]},
        [3, 4],
        suffix=".xlsx",
    ),
    Case(
        "title, gap, units and total in a sheet",
        book(
            ["Dispatch"], [], ["t", "temp", "hum"], [None, "°C", "%"], [1, 2.5, 3], [], [2, 3.5, 4], ["Total", None, 7]
        ),
        {"t": [1, 2], "temp": [2.5, 3.5], "hum": [3, 4]},
        [5, 7],
        [(8, "footer")],
        units={"temp": "°C", "hum": "%"},
        suffix=".xlsx",
    ),
    Case("hidden rows are read", book(["a", "b"], [1, 1.5], [2, 2.5], change=_hide), PLAIN, [2, 3], suffix=".xlsx"),
    Case(
        "the header again in a sheet",
        book(["a", "b"], [1, 1.5], ["a", "b"], [2, 2.5]),
        PLAIN,
        [2, 4],
        [(3, "the header again")],
        suffix=".xlsx",
    ),
    Case(
        "a dispatch list as a person keeps it",
        book(
            ["Dispatch list"],
            ["Week", 7],
            [],
            ["Truck", "Departure", "Load (kg)", "Driver"],
            *[[f"T{n}", DAY, 1000.5 + n, "Anna"] for n in range(5)],
            ["T9", "tomorrow", "1.200,5", "Bob"],
            [None, None, "=SUM(C5:C9)", None],
        ),
        {
            "Truck": ["T0", "T1", "T2", "T3", "T4", "T9"],
            "Departure": [DAY] * 5 + [None],
            "Departure" + T: [None] * 5 + ["tomorrow"],
            "Load (kg)": [1000.5, 1001.5, 1002.5, 1003.5, 1004.5, 1200.5],
            "Driver": ["Anna"] * 5 + ["Bob"],
        },
        [5, 6, 7, 8, 9, 10],
        [(11, "C11: a formula without")],
        suffix=".xlsx",
    ),
    Case(
        "clock times, durations and truths in cells",
        book(["at", "took", "ok"], [time(6, 30), timedelta(hours=30), True], [time(7), timedelta(minutes=1), False]),
        {"at": ["06:30:00", "07:00:00"], "took": ["30:00:00", "00:01:00"], "ok": [True, False]},
        [2, 3],
        suffix=".xlsx",
    ),
    Case(
        "a word in a column of dates",
        book(["t", "x"], *[[DAY, n] for n in range(9)], ["unknown", 9]),
        {"t": [DAY] * 9 + [None], "t" + T: [None] * 9 + ["unknown"], "x": list(range(10))},
        list(range(2, 12)),
        suffix=".xlsx",
    ),
    Case("a sheet of nothing", book(), suffix=".xlsx", error=SchemaError, parts=("no sheet has a row",)),
    Case(
        "a sheet that isn't there",
        book(["a"], [1]),
        suffix=".xlsx",
        reading={"sheet": "X"},
        error=SchemaError,
        parts=("'X'", "'Sheet'"),
    ),
    Case(
        "a workbook cut short",
        lambda: book(["a"], [1])()[:2000],
        suffix=".xlsx",
        error=SourceError,
        parts=("can't be read",),
    ),
    Case(
        "an old workbook",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        suffix=".xlsx",
        error=SchemaError,
        parts=("xls",),
    ),
]

OTHER = [
    Case("Parquet cut short", b"PAR1" + bytes(100), suffix=".parquet", error=SourceError, parts=("can't be read",)),
    Case(
        "SQLite's first bytes alone",
        b"SQLite format 3\x00" + struct.pack(">H", 4096),
        suffix=".db",
        error=SourceError,
        parts=("can't be read",),
    ),
]


def read(source: Any) -> tuple[dict[str, list[Any]], list[int], list[tuple[int, str]], dict[str, str]]:
    """Read a whole source as one table."""
    columns: dict[str, list[Any]] = {}
    rows: list[int] = []
    problems: list[tuple[int, str]] = []
    units: dict[str, str] = {}
    for batch in source.batches():
        assert batch.file == source.path.name
        assert len(batch.row_numbers) == batch.rows.num_rows
        for name, values in batch.rows.to_pydict().items():
            columns.setdefault(name, [None] * len(rows)).extend(values)
        rows += batch.row_numbers.tolist()
        for values in columns.values():
            values += [None] * (len(rows) - len(values))
        problems += [(problem.row, problem.reason) for problem in batch.problems]
        units |= dict(batch.units)
    return columns, rows, problems, units


@pytest.mark.parametrize("case", [*TEXT, *JSON, *EXCEL, *OTHER], ids=lambda case: case.name.replace(" ", "_"))
def test_every_hostile_file_has_its_exact_outcome(case: Case, tmp_path: Path) -> None:
    path = tmp_path / f"file{case.suffix}"
    path.write_bytes(case.content() if callable(case.content) else case.content)
    if case.error is not None:
        with pytest.raises(case.error) as caught:
            read(sources.open_source(path, reading=case.reading))
        assert type(caught.value) is case.error
        for part in ("file", *case.parts):
            assert part in str(caught.value)
        return
    columns, rows, problems, units = read(sources.open_source(path, reading=case.reading))
    assert list(columns) == list(case.columns)
    assert rows == case.rows
    for name, values in case.columns.items():
        assert columns[name] == values
        assert [type(value) for value in columns[name]] == [type(value) for value in values]
    assert [row for row, _ in problems] == [row for row, _ in case.problems]
    for (_, reason), (_, part) in zip(problems, case.problems, strict=True):
        assert part in reason
    assert units == case.units


def test_a_missing_file_and_a_directory_are_source_errors(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        sources.open_source(tmp_path / "none.csv")
    with pytest.raises(SourceError, match="is a directory"):
        sources.csv(tmp_path)


def test_problems_show_the_rows_text(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n1,2\n5\n6,7,8\n" + b"9" * 5000 + b"\n3,4\n")
    problems = [problem for batch in sources.csv(path).batches() for problem in batch.problems]
    assert [problem.text[:10] for problem in problems] == ["5", "6,7,8", "9" * 10]
    assert len(problems[2].text) == 2001
    assert math.isclose(len({problem.reason for problem in problems}), 2)
