"""Small files as people and machines leave them, for tests that pass each to every public call."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd

__all__ = ["INPUTS", "write_input"]

Content = bytes | str | Callable[[Path], None]


def minutes(count: int, *, start: str = "2026-01-01") -> list[str]:
    return [str(t) for t in pd.date_range(start, periods=count, freq="min")]


def table(head: str, *columns: list[Any], sep: str = ",", end: str = "\n") -> str:
    return end.join([head, *(sep.join(map(str, row)) for row in zip(*columns, strict=True))]) + end


def book(fill: Callable[[Any], None]) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        workbook = openpyxl.Workbook()
        fill(workbook)
        workbook.save(path)

    return make


def _merged(workbook: Any) -> None:
    sheet = workbook.active
    for row in (["Report", None, None], ["time", "room", "temp (degC)"], [datetime(2026, 1, 1), "A", 20.5]):
        sheet.append(row)
    for minute in range(1, 9):
        sheet.append([datetime(2026, 1, 1, 0, minute), "AB"[minute % 2], 20 + minute / 10])
    sheet.merge_cells("A1:C1")
    sheet.merge_cells("B4:B6")


def _mixed(workbook: Any) -> None:
    sheet = workbook.active
    sheet.append(["day", "clock", "state", "value"])
    sheet.append([date(2026, 1, 1), time(1, 0), True, "=1/0"])
    sheet.append([45000, 0.5, "off", 1e300])
    sheet.append([None, None, None, None])
    sheet.append(["2026-01-02", "25:00", 3, "#N/A"])
    workbook.create_sheet("empty")


def _chart_only(workbook: Any) -> None:
    workbook.active.append(["time", "value"])
    workbook.create_chartsheet("picture")


def _sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("create table log (time, room text, value real, note blob)")
    rows: list[tuple[object, ...]] = [(f"2026-01-01 00:0{n}", "A", n, b"\x00\xff") for n in range(6)]
    rows += [(17, None, "word", None), (None, "B", 2**62, "x"), (3.5, 7, None, -1)]
    connection.executemany("insert into log values (?, ?, ?, ?)", rows)
    connection.execute("create table empty (time, value)")
    connection.execute('create table "odd name; --" ("a b" integer)')
    connection.execute("create view recent as select * from log")
    connection.commit()
    connection.close()


def _lines(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


#: Name (with suffix) -> content.
INPUTS: dict[str, Content] = {
    "plain.csv": table("time,room,temp (degC)", minutes(8), list("ABABABAB"), [20 + n / 10 for n in range(8)]),
    "empty.csv": b"",
    "blank_lines.csv": b"\n\n  \n",
    "header_only.csv": "time,room,temp (degC)\n",
    "binary.csv": bytes(range(256)) * 8,
    "null_bytes.csv": b"time,value\n2026-01-01,1\x00\n\x00\x00,2\n",
    "one_column.csv": table("value", list(range(9))),
    "one_time_column.csv": table("time", minutes(5)),
    "same_names.csv": table("time,temp,temp,temp", minutes(5), range(5), range(5), range(5)),  # type: ignore[arg-type]
    "no_names.csv": table(",,", minutes(5), range(5), range(5)),  # type: ignore[arg-type]
    "nan_times.csv": table("time,value", ["NaN", *minutes(4), "NaT", "", "0000-00-00"], range(8)),  # type: ignore[arg-type]
    "times_out_of_range.csv": table("time,value", ["0001-01-01", "9999-12-31", "2262-04-12", *minutes(4)], range(7)),  # type: ignore[arg-type]
    "huge_numbers.csv": table("time,a,b", minutes(5), [10**30, -(10**25), 2**63, 1, 0], ["1e400", "-1e999", "inf", "nan", "1e-400"]),
    "huge_times.csv": table("time,value", [10**18, 10**19, 10**25, -(10**18), 0], range(5)),  # type: ignore[arg-type]
    "names.csv": table("zeit,räume 🏢,Température (°C),\u202eright,=1+1", minutes(4), ["é", "e\u0301", "日本", "a/b"], range(4), range(4), range(4)),  # type: ignore[arg-type]
    "quoted_names.csv": 'time,"a\nb","c,""d""",e.f/g\n' + "".join(f"{t},1,2,3\n" for t in minutes(4)),
    "long_name.csv": table(f"time,{'x' * 5000}", minutes(4), range(4)),  # type: ignore[arg-type]
    "line_ends.csv": b"time,value\r\n2026-01-01,1\n2026-01-02,2\r2026-01-03,3\r\n",
    "ragged.csv": "time,a,b\n2026-01-01,1\n2026-01-02,1,2,3,4\n\n2026-01-03,,\n2026-01-04\n",
    "open_quote.csv": 'time,a\n2026-01-01,"1\n2026-01-02,2\n',
    "latin.csv": "time;Größe (µm)\n2026-01-01;1,5\n2026-01-02;2,5\n".encode("cp1252"),
    "utf16.csv": table("time,value", minutes(4), range(4)).encode("utf-16"),  # type: ignore[arg-type]
    "wide.csv": table("time," + ",".join(f"s{n}" for n in range(60)), minutes(3), *([1, 2, 3] for _ in range(60))),
    "always_one_instant.csv": table("time,value", ["2026-01-01"] * 6, range(6)),  # type: ignore[arg-type]
    "backwards.csv": table("time,room,value", minutes(6)[::-1], list("AABBAA"), range(6)),  # type: ignore[arg-type]
    "states_only.csv": table("time,door", minutes(6), ["open", "shut", "", "OPEN", "?", "open"]),
    "parts_of_a_clock.csv": table("id,h,m,s,v", list("ABC"), [1, 2, 25], [0, 61, 2], [0, 1, 2], [1, 2, 3]),
    "clocks.csv": table("date;time;v", ["1.2.2026"] * 4, ["18.00.00", "24.00.00", "25.00.00", ""], range(4), sep=";"),  # type: ignore[arg-type]
    "dst.csv": table("when (Europe/Berlin),t (degF)", ["2026-03-29 02:30", "2026-10-25 02:30", "2026-10-25 02:30"], [1, 2, 3]),
    "units.csv": table("time,sensor,value,unit", minutes(6), list("ABCABC"), range(6), ["C", "F", "furlong", "", "°C", "kWh"]),  # type: ignore[arg-type]
    "orders.csv": table("order,planned,delivered,weight (kg)", [1, 2, 2, ""], ["2026-01-01", "x", "2026-01-03", ""], ["2025-12-31", "", "2026-01-09", "N/A"], [1, "-", 3, ""]),
    "scans.csv": table("parcel,activity,place,time", ["P1"] * 3 + ["P2"] * 3, ["in", "out", "lost"] * 2, list("XYZXYZ"), minutes(6)),
    "places.csv": table("time,van,lat,lon", minutes(4), list("AABB"), [51, 91, -999, ""], [0, 181, 1e9, 2]),
    "counter.csv": table("time,energy (kWh)", minutes(8), [1, 2, 0, 4, 5, 1e12, 7, 0]),
    "preamble.csv": "# logger: 7\n# site: dock\n#time,temp (degC)\n" + "".join(f"{t},1\n" for t in minutes(4)),
    "toa5.dat": '"TOA5","st","CR6","1"\n"TIMESTAMP","RECORD"\n"TS","RN"\n"",""\n',
    "lines.lp": "weather,site=a temp=1.5 1767225600000000000\nweather temp=\nnonsense\n",
    "fixed.txt": "time        value\n2026-01-01    1.5\n2026-01-02    2.5\n",
    "nested.jsonl": _lines({"time": "2026-01-01", "v": {"a": 1, "b": [1, 2]}}, {"time": "2026-01-02", "v": 3}, {"t": None}),
    "changing.jsonl": _lines({"time": "2026-01-01", "v": 1}, {"time": 5, "v": "x"}, {"time": None, "v": True}, [], 7),
    "broken.jsonl": '{"time": "2026-01-01", "v": 1}\n{"time": \n\nnull\n{"v": NaN}\n',
    "plain.json": '[{"time": "2026-01-01", "v": 1}]',
    "merged.xlsx": book(_merged),
    "mixed.xlsx": book(_mixed),
    "chart_without_drawing.xlsx": book(_chart_only),
    "empty.xlsx": book(lambda workbook: None),
    "no_book.xlsx": b"this is no workbook",
    "odd.sqlite": _sqlite,
    "no_database.sqlite": b"SQLite format 3\x00" + b"\xff" * 100,
    "no_table.parquet": b"PAR1nothingPAR1",
    "odd.parquet": lambda path: pd.DataFrame(
        {"time": pd.to_datetime(["2026-01-01", None]), "v": [np.inf, 1], "l": [[1], []], "c": pd.Categorical(["a", None])}
    ).to_parquet(path),
    "broken.csv.gz": b"\x1f\x8b\x08\x00broken",
    "picture.zip": b"PK\x03\x04nothing",
    "unknown.xyz": b"time,v\n2026-01-01,1\n",
}  # fmt: skip


def write_input(folder: Path, name: str) -> Path:
    """Write one input to a folder; return its path."""
    path, content = folder / name, INPUTS[name]
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_text(content, encoding="utf-8", newline="")
    else:
        content(path)
    return path
