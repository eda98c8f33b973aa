"""A year of a fleet as a twin and as its peers would store it: gaps, jitter, late and repeated rows, failed values.

``TWINLAB_BENCH_TRUCKS`` (200) trucks with five signals over ``TWINLAB_BENCH_DAYS`` (365) days at one minute are 525.6 million
cells. They're built once in ``TWINLAB_BENCH_DIR`` (about 12 GB, half an hour) and kept. Peers have what the twin answers:
one row a cell that has a value, with the cell's time and its flag.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import telemetry
import xarray as xr

import twinlab as tl
from twinlab.ledger import Ledger

TRUCKS = int(os.environ.get("TWINLAB_BENCH_TRUCKS", "200"))
DAYS = int(os.environ.get("TWINLAB_BENCH_DAYS", "365"))
CELLS = DAYS * 1440
MINUTE = 60 * 10**9
ORIGIN = int(np.datetime64("2013-01-01", "ns").astype("int64"))
#: Name of the signal, resolution, and how many units of the resolution are one.
SIGNALS = {"latitude": 10**5, "longitude": 10**5, "speed": 10, "temperature": 10, "pressure": 10}
UNITS = {"latitude": "degree", "longitude": "degree", "speed": "km/h", "temperature": "degC", "pressure": "hPa"}
SPANS = {
    "latitude": [-90, 90], "longitude": [-180, 180], "speed": [0, 200], "temperature": [-60, 85], "pressure": [800, 1200]
}  # fmt: skip
SERIES = TRUCKS * len(SIGNALS)
#: Rows of a batch of the ledger.
BATCH = 100_000


@dataclass(frozen=True)
class Fleet:
    """The built twin and the peers' files beside it."""

    folder: Path

    @property
    def twin(self) -> Path:
        """Folder of the twin."""
        return self.folder / "twin"

    def peer(self, name: str) -> Path:
        """Return a peer's file."""
        return self.folder / name

    def forget(self) -> None:
        """Drop the pages of all files from the system's cache."""
        for path in self.folder.rglob("*"):
            if path.is_file():
                number = os.open(path, os.O_RDONLY)
                os.fsync(number)
                os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(number)


def model_text() -> str:
    """Return the twin's model."""
    signals = {
        name: {"unit": UNITS[name], "resolution": 1 / per, "sensor_span": SPANS[name], "cadence": "1min"}
        for name, per in SIGNALS.items()
    }
    signals["temperature"]["spike"] = [5, 20]
    lines = [f"      {name}: {keys}" for name, keys in signals.items()]
    return "\n".join(["twin: fleet", "origin: 2013-01-01", "asset_types:", "  truck:", "    signals:", *lines]) + "\n"


def mapping_text() -> str:
    """Return the mapping of the one source."""
    tags = [
        f"    '/^(?P<id>[0-9]+)[.]{name}$/': {{signal: {name}, asset: 'truck/{{id}}', unit: {unit}}}"
        for name, unit in UNITS.items()
    ]
    return "\n".join(["source: trucks", "stream:", "  tags:", *tags]) + "\n"


def _generated(folder: Path) -> np.ndarray:
    """Return the clean values in units of the resolution, (series, cell), in a file."""
    path = folder / "values.npy"
    if path.exists():
        return np.load(path, mmap_mode="r")
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.int32, shape=(SERIES, CELLS))
    for number in range(SERIES):
        out[number] = telemetry.series(number, CELLS, seconds=60.0, assets=SERIES)
    out.flush()
    return out


def _absent(rng: np.random.Generator) -> np.ndarray:
    """Return which cells never arrive, (series, cell): outages of half an hour at the mean, 3 % in all."""
    out = np.zeros((SERIES, CELLS), dtype=bool)
    for row in out:
        starts = rng.integers(0, CELLS, max(1, int(CELLS * 0.03 / 30)))
        for first, length in zip(starts, rng.geometric(1 / 30, len(starts)), strict=True):
            row[first : first + length] = True
    return out


def deliveries(folder: Path) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield series, time and value of the rows that arrive on each day, in order of arrival.

    Times are up to 20 s behind the minute, 1 % of the rows arrive one or two days late, 0.5 % twice, and 0.05 % of the
    temperatures are 40 degrees off.
    """
    rng = np.random.default_rng(7)
    values, absent = _generated(folder), _absent(rng)
    per = np.repeat(np.array(list(SIGNALS.values())), TRUCKS)
    warm = np.repeat(np.array(list(SIGNALS)) == "temperature", TRUCKS)
    waiting: dict[int, list[tuple[np.ndarray, ...]]] = {}
    for day in range(DAYS):
        first = day * 1440
        number = values[:, first : first + 1440].astype(float)
        number += np.where(warm[:, None] & (rng.random(number.shape) < 0.0005), 400.0, 0.0)
        kept = ~absent[:, first : first + 1440]
        series, minute = np.nonzero(kept)
        at = ORIGIN + (first + minute) * MINUTE + rng.integers(0, 20_000, len(series)) * 10**6
        rows = (series.astype(np.int32), at, number[kept] / per[series])
        lag = np.where(rng.random(len(at)) < 0.01, rng.integers(1, 3, len(at)), 0)
        for days in (1, 2):
            waiting.setdefault(day + days, []).append(tuple(column[lag == days] for column in rows))
        parts = [tuple(column[lag == 0] for column in rows), *waiting.pop(day, [])]
        twice = rng.random(len(parts[0][0])) < 0.005
        parts.append(tuple(column[twice] for column in parts[0]))
        series, at, value = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        order = np.argsort(at, kind="stable")
        yield series[order], at[order], value[order]


def batches(folder: Path) -> Iterator[pa.RecordBatch]:
    """Yield the rows as observations of the one source."""
    names = pa.array([f"{truck}.{name}" for name in SIGNALS for truck in range(TRUCKS)])
    sequence = 0
    for series, at, value in deliveries(folder):
        for start in range(0, len(at), BATCH):
            part = slice(start, start + BATCH)
            numbers = np.arange(sequence, sequence + len(at[part]))
            sequence += len(numbers)
            yield telemetry.observations(names, series[part], at[part], value[part], numbers)


def build_twin(folder: Path) -> Fleet:
    """Build the twin unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    fleet = Fleet(folder)
    if not (folder / "twin.done").exists():
        for name, text in (("twin.yaml", model_text()), ("trucks.yaml", mapping_text())):
            (folder / name).write_text(text)
        twin = tl.create(fleet.twin, model=folder / "twin.yaml", mappings=folder / "trucks.yaml")
        ledger = Ledger(fleet.twin / "ledger")
        with ledger.writer("trucks") as writer:
            for batch in batches(folder):
                writer.append_observations(batch)
        twin.rebuild()
        (folder / "values.npy").unlink()
        (folder / "twin.done").touch()
    return fleet


def build(folder: Path) -> Fleet:
    """Build the twin, then the peers' files from what it answers."""
    fleet = build_twin(folder)
    _build_peers(fleet)
    return fleet


def series_rows(twin: Any, signal: str, trucks: list[str]) -> Iterator[dict[str, np.ndarray]]:
    """Yield the cells of each truck that have a value: minute since the origin, number in its resolution, flag."""
    found = twin.history("truck", signals=[signal], assets=trucks, start="2013-01-01", stop=_end())
    values, flags = found[signal].values, found[f"{signal}_qc"].values
    for column in range(len(trucks)):
        there = np.isfinite(values[:, column])
        number = np.rint(values[there, column] * SIGNALS[signal]).astype(np.int32)
        minute = np.flatnonzero(there).astype(np.int32)
        yield {"minute": minute, "number": number, "flag": flags[there, column].astype(np.uint8)}


def _end() -> np.datetime64:
    return np.datetime64(ORIGIN + CELLS * MINUTE, "ns")


def _times(minute: np.ndarray) -> np.ndarray:
    return (ORIGIN // 1000 + minute.astype(np.int64) * 60_000_000).astype("datetime64[us]")


PLAIN = pa.schema([("tag", pa.string()), ("time", pa.timestamp("us")), ("value", pa.float64()), ("flag", pa.uint8())])
TUNED = pa.schema([("series", pa.int16()), ("minute", pa.int32()), ("number", pa.int32()), ("flag", pa.uint8())])
#: What an expert sets: integers in the sensors' resolution, delta encodings, zstd, and a row group a series.
TUNED_OPTIONS: dict[str, Any] = {
    "compression": "zstd", "use_dictionary": ["series", "flag"],
    "column_encoding": {"minute": "DELTA_BINARY_PACKED", "number": "DELTA_BINARY_PACKED"},
}  # fmt: skip


def _build_peers(fleet: Fleet) -> None:
    if (fleet.folder / "peers.done").exists():
        return
    twin = tl.open(fleet.twin)
    plain = pq.ParquetWriter(fleet.peer("plain.parquet"), PLAIN)
    tuned = pq.ParquetWriter(fleet.peer("tuned.parquet"), TUNED, **TUNED_OPTIONS)
    with plain, tuned:
        for kind, signal in enumerate(SIGNALS):
            for first in range(0, TRUCKS, 16):
                trucks = [str(truck) for truck in range(first, min(first + 16, TRUCKS))]
                for truck, rows in zip(trucks, series_rows(twin, signal, trucks), strict=True):
                    count = len(rows["minute"])
                    columns = [
                        pa.array([f"{truck}.{signal}"]).take(pa.array(np.zeros(count, np.int32))),
                        _times(rows["minute"]), rows["number"] / SIGNALS[signal], rows["flag"],
                    ]  # fmt: skip
                    plain.write_table(pa.table(columns, schema=PLAIN))
                    series = np.full(count, kind * TRUCKS + int(truck), dtype=np.int16)
                    tuned.write_table(
                        pa.table([series, rows["minute"], rows["number"], rows["flag"]], schema=TUNED),
                        row_group_size=count,
                    )
    _build_by_time(fleet)
    _build_duckdb(fleet)
    _build_zarr(fleet, twin)
    (fleet.folder / "peers.done").touch()


def _build_by_time(fleet: Fleet) -> None:
    """Write the tuned rows in order of time, as a feed would leave them, with row groups of a day."""
    import duckdb

    with duckdb.connect() as connection, pq.ParquetWriter(fleet.peer("by_time.parquet"), TUNED, **TUNED_OPTIONS) as out:
        connection.execute("set threads = 2")
        for first in range(0, CELLS, 14_400):
            rows = connection.sql(
                f"select * from '{fleet.peer('tuned.parquet')}' where minute >= {first} and minute < {first + 14_400} "
                "order by minute, series"
            ).to_arrow_table()
            out.write_table(rows.cast(TUNED), row_group_size=1440 * SERIES)


def _build_duckdb(fleet: Fleet) -> None:
    import duckdb

    for name in ("plain", "tuned"):
        fleet.peer(f"{name}.db").unlink(missing_ok=True)
        with duckdb.connect(fleet.peer(f"{name}.db")) as connection:
            connection.execute("set threads = 2")
            connection.execute(f"create table o as select * from '{fleet.peer(f'{name}.parquet')}'")


def _build_zarr(fleet: Fleet, twin: Any) -> None:
    """Write what xarray users keep without a twin: one store, a month by 50 trucks a chunk, zstd, integers."""
    store = fleet.peer("plain.zarr")
    for signal, per in SIGNALS.items():
        encoding = {"dtype": "int32", "scale_factor": 1 / per, "_FillValue": -(2**31), "chunks": (43_200, 50)}
        for first in range(0, TRUCKS, 50):
            trucks = [str(truck) for truck in range(first, min(first + 50, TRUCKS))]
            found = twin.history("truck", signals=[signal], assets=trucks, start="2013-01-01", stop=_end())
            part = xr.Dataset({signal: (("time", "asset"), found[signal].values)}, coords={"time": found.time.values})
            target: dict[str, Any] = {"group": signal, "consolidated": False, "zarr_format": 3}
            if first:
                part.drop_vars("time").to_zarr(store, append_dim="asset", **target)
            else:
                part.to_zarr(store, mode="a", encoding={signal: encoding}, **target)
