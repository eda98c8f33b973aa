"""Questions to a year of a fleet, as users ask them of a twin, beside DuckDB, Parquet and xarray, with default and tuned settings.

Run with ``pytest tests/benchmarks/test_questions_bench.py -m benchmark -s -n0``; `fleet_year` builds the data and says
their size. Each question is asked warm (everything read once before) and cold (files dropped from the system's cache, twin
and database opened anew). All use two threads. Every peer's answer is compared with ours. ``TWINLAB_BENCH_OUT`` takes JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pytest
import xarray as xr

import twinlab as tl
from twinlab._files import disk_usage
from twinlab.history.write.history_store import HistoryStore

sys.path.insert(0, str(Path(__file__).parent))
import fleet_year
from fleet_year import CELLS, DAYS, MINUTE, ORIGIN, SERIES, SIGNALS, TRUCKS, Fleet

pytestmark = pytest.mark.benchmark
duckdb = pytest.importorskip("duckdb")
#: At most so many times is a question asked of each, after one more time that isn't counted.
REPEATS = int(os.environ.get("TWINLAB_BENCH_REPEATS", "9"))
ROWS: list[dict[str, Any]] = []
STATISTICS = ("mean", "max")
FLAGS = [f"{name}_qc" for name in SIGNALS]
SCALE = np.repeat(np.array(list(SIGNALS.values())), TRUCKS)
PEERS = ("plain.parquet", "tuned.parquet", "by_time.parquet", "plain.db", "tuned.db", "plain.zarr")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The twin and the peers' files."""
    chosen = os.environ.get("TWINLAB_BENCH_DIR")
    root = Path(chosen) if chosen else tmp_path_factory.mktemp("bench")
    with dask.config.set(scheduler="threads", num_workers=2):
        yield fleet_year.build(root / f"{TRUCKS}x{DAYS}")


class Asked:
    """What a question is put to: opened once for warm figures, and anew each time for cold ones."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self._open: dict[str, Any] = {}

    def close(self) -> None:
        """Close everything that was opened."""
        for name, one in self._open.items():
            if name != "twin":
                one.close()
        self._open.clear()

    def twin(self) -> Any:
        """Return the twin."""
        return self._kept("twin", lambda: tl.open(self.fleet.twin))

    def sql(self, name: str, query: str) -> dict[str, np.ndarray]:
        """Return the columns that a query gives: on ``name.db``, or on Parquet files if the name has none."""
        path = self.fleet.peer(f"{name}.db")
        connection = self._kept(
            name, lambda: duckdb.connect(path, read_only=True) if path.exists() else duckdb.connect()
        )
        connection.execute("set threads = 2")
        return connection.execute(query).fetchnumpy()

    def zarr(self, signal: str) -> xr.Dataset:
        """Return one signal of the plain Zarr store."""
        where = self.fleet.peer("plain.zarr")
        return self._kept(signal, lambda: xr.open_zarr(where, group=signal, consolidated=False))

    def _kept(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._open:
            self._open[name] = make()
        return self._open[name]


Question = Callable[[Asked, int], Any]


@contextmanager
def clocked(seen: list[tuple[float, float]]) -> Iterator[None]:
    """Add wall and CPU time of a block."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    seen.append((time.perf_counter() - wall, time.process_time() - cpu))


def compare(fleet: Fleet, row: str, questions: dict[str, Question], *, warm: int, cold: int) -> dict[str, Any]:
    """Put a question to ours and to each peer in turn, warm and cold; report medians and ratios, return the last answers."""
    answers: dict[str, Any] = {}
    for state, repeats in (("warm", min(warm, REPEATS)), ("cold", min(cold, REPEATS))):
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in questions}
        asked = Asked(fleet)
        for number in range(repeats + 1):
            for name, question in questions.items():
                if state == "cold":
                    asked.close()
                    fleet.forget()
                with clocked(seen[name]):
                    answers[name] = question(asked, number)
        asked.close()
        # The first time loads what is compiled once and for all.
        medians = {name: np.median(runs[1:], axis=0) * 1e3 for name, runs in seen.items()}
        for name, (wall, cpu) in medians.items():
            keep({
                "row": row, "state": state, "name": name, "wall_ms": round(float(wall), 2), "cpu_ms": round(float(cpu), 2),
                "times_cpu": round(float(cpu / medians["twin"][1]), 2),
                "times_wall": round(float(wall / medians["twin"][0]), 2),
            })  # fmt: skip
    return answers


def keep(entry: dict[str, Any]) -> None:
    """Print a row and write all rows so far."""
    ROWS.append(entry)
    sys.stdout.write("\n" + "  ".join(f"{key} {value}" for key, value in entry.items()))
    sys.stdout.flush()
    target = os.environ.get("TWINLAB_BENCH_OUT")
    if target:
        Path(target).write_text(json.dumps({"trucks": TRUCKS, "days": DAYS, "rows": ROWS}, indent=1))


@dataclass(frozen=True)
class Table:
    """A peer's table: ``tuned`` has integers of the sensors' resolution and a number a series, else text and decimals."""

    database: str
    source: str
    tuned: bool

    def in_order(self, columns: dict[str, np.ndarray], unit: str = "m") -> np.ndarray:
        """Return columns series, minute or day, values as (value, time, series), whichever way they're stored."""
        series, place, *found = (np.ma.getdata(column) for column in columns.values())
        if not self.tuned:
            names = [f"{truck}.{signal}" for signal in SIGNALS for truck in range(TRUCKS)]
            number = {name: at for at, name in enumerate(names)}
            series = np.array([number[tag] for tag in series])
            place = (place - np.datetime64(ORIGIN // 1000, "us")) // np.timedelta64(1, unit)
        first = place.min()
        out = np.full((len(found), place.max() - first + 1, SERIES), np.nan)
        for number, values in enumerate(found):
            out[number, place - first, series] = values
        return out / SCALE if self.tuned else out


def tables(fleet: Fleet) -> dict[str, Table]:
    """Return the peers that answer SQL."""
    files = {name: f"'{fleet.peer(f'{name}.parquet')}'" for name in ("plain", "tuned", "by_time")}
    return {
        "Parquet by asset, default": Table("none", files["plain"], tuned=False),
        "Parquet by asset, tuned": Table("none", files["tuned"], tuned=True),
        "Parquet by time, tuned": Table("none", files["by_time"], tuned=True),
        "DuckDB, default": Table("plain", "o", tuned=False),
        "DuckDB, tuned": Table("tuned", "o", tuned=True),
    }


def of_peers(fleet: Fleet, default: str, tuned: str) -> dict[str, Question]:
    """Return a query for each peer: ``{source}`` is the table, ``{at}`` and ``{series}`` what `chosen` gives."""

    def question(table: Table) -> Question:
        query = tuned if table.tuned else default
        return lambda asked, number: asked.sql(table.database, query.format(source=table.source, **chosen(number)))

    return {name: question(table) for name, table in tables(fleet).items()}


def chosen(number: int) -> dict[str, Any]:
    """Return the instant and the series of a question's turn: others each time, the same for all peers."""
    rng = np.random.default_rng(number)
    minute, series = int(rng.integers(0, CELLS)), int(rng.integers(0, SERIES))
    kind, truck = list(SIGNALS)[series // TRUCKS], str(series % TRUCKS)
    at = np.datetime64(ORIGIN + minute * MINUTE, "ns")
    return {"minute": minute, "series": series, "at": at, "tag": f"{truck}.{kind}", "signal": kind, "truck": truck}


def stacked(found: xr.Dataset, names: list[str]) -> np.ndarray:
    """Return variables of (time, asset) as (time, series)."""
    return np.concatenate([found[name].transpose("time", "asset").values for name in names], axis=1)


def test_bytes_a_point(fleet: Fleet) -> None:
    points = tl.open(fleet.twin).reader.status().points
    sizes = {"cells": 0, "flags": 0, "rollups": 0}
    for path, size in HistoryStore.open(fleet.twin / "history").view().bytes().items():
        sizes["rollups" if "/rollup/" in path else "flags" if path.endswith("_qc") else "cells"] += size
    for name in ("twin/history", "twin/ledger", *PEERS):
        sizes[name] = (
            disk_usage(fleet.folder / name)[1] if (fleet.folder / name).is_dir() else fleet.peer(name).stat().st_size
        )
    keep({"row": "bytes a point", "points": points} | {name: round(size / points, 3) for name, size in sizes.items()})


def test_daily_mean_and_max_from_raw(fleet: Fleet) -> None:
    """Every cell that has a value, through xarray: ``twin.history(…).resample(time="1D")``."""

    def twin(asked: Asked, _number: int) -> Any:
        days = asked.twin().history("truck", signals=list(SIGNALS)).drop_vars(FLAGS).resample(time="1D")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dask.compute(days.mean(), days.max())

    def plain_zarr(asked: Asked, _number: int) -> Any:
        found = xr.merge([asked.zarr(signal) for signal in SIGNALS])
        days = found.resample(time="1D")
        return dask.compute(days.mean(method="cohorts"), days.max(method="cohorts"))

    queries = of_peers(
        fleet,
        "select tag, time::date::timestamp, avg(value), max(value) from {source} group by 1, 2",
        "select series, minute // 1440, avg(number), max(number) from {source} group by 1, 2",
    )
    answers = compare(
        fleet, "daily mean and max from raw", {"twin": twin, "xarray and flox": plain_zarr} | queries, warm=3, cold=1
    )
    mean, high = (stacked(part, list(SIGNALS)) for part in answers["twin"])
    for name, table in tables(fleet).items():
        check_days(table, answers[name], mean, high)
    for ours, theirs in zip((mean, high), answers["xarray and flox"], strict=True):
        np.testing.assert_allclose(stacked(theirs, list(SIGNALS)), ours, rtol=1e-9)


def test_daily_mean_and_max_of_good_values(fleet: Fleet) -> None:
    """Cells that pass or are suspect, through stored rollups: ``twin.history(…, step="1d")``."""

    def twin(asked: Asked, _number: int) -> Any:
        found = asked.twin().history("truck", step="1d")
        return found[[f"{name}_{what}" for name in SIGNALS for what in STATISTICS]].load()

    queries = of_peers(
        fleet,
        "select tag, time::date::timestamp, avg(value), max(value) from {source} where flag <> 4 group by 1, 2",
        "select series, minute // 1440, avg(number), max(number) from {source} where flag <> 4 group by 1, 2",
    )
    answers = compare(fleet, "daily mean and max by step", {"twin": twin} | queries, warm=3, cold=1)
    mean, high = (stacked(answers["twin"], [f"{name}_{what}" for name in SIGNALS]) for what in STATISTICS)
    for name, table in tables(fleet).items():
        check_days(table, answers[name], mean, high)


def check_days(table: Table, columns: dict[str, np.ndarray], mean: np.ndarray, high: np.ndarray) -> None:
    """Compare a peer's days with ours."""
    theirs = table.in_order(columns, "D")
    np.testing.assert_allclose(theirs[0], mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(theirs[1], high, rtol=1e-12, atol=1e-9)


def test_one_instant_of_all(fleet: Fleet) -> None:
    def twin(asked: Asked, number: int) -> Any:
        at = chosen(number)["at"]
        return asked.twin().history("truck", start=at, stop=at + np.timedelta64(1, "m")).load()

    queries = of_peers(
        fleet,
        "select tag, time, value from {source} where time = timestamp '{at}'",
        "select series, minute, number from {source} where minute = {minute}",
    )
    answers = compare(fleet, "one instant of all", {"twin": twin} | queries, warm=9, cold=3)
    ours = stacked(answers["twin"], list(SIGNALS))
    for name, table in tables(fleet).items():
        np.testing.assert_allclose(table.in_order(answers[name])[0], ours, rtol=1e-12, atol=1e-9)


def test_one_series_of_all_days(fleet: Fleet) -> None:
    def twin(asked: Asked, number: int) -> Any:
        one = chosen(number)
        found = asked.twin().history("truck", signals=[one["signal"]], assets=[one["truck"]])
        return found[one["signal"]].values[:, 0]

    def plain_zarr(asked: Asked, number: int) -> Any:
        one = chosen(number)
        return asked.zarr(one["signal"])[one["signal"]].isel(asset=int(one["truck"])).values

    queries = of_peers(
        fleet,
        "select time, value from {source} where tag = '{tag}' order by time",
        "select minute, number from {source} where series = {series} order by minute",
    )
    answers = compare(fleet, "one series of all days", {"twin": twin, "xarray": plain_zarr} | queries, warm=9, cold=3)
    ours = answers["twin"][np.isfinite(answers["twin"])]
    last = chosen(min(3, REPEATS))
    for name, table in tables(fleet).items():
        theirs = list(answers[name].values())[1]
        np.testing.assert_allclose(
            theirs / SIGNALS[last["signal"]] if table.tuned else theirs, ours, rtol=1e-12, atol=1e-9
        )
    np.testing.assert_allclose(answers["xarray"][np.isfinite(answers["xarray"])], ours, rtol=1e-12, atol=1e-9)
