"""A twin whose data are several partitions, and a cluster that loses a worker in the middle of a call."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.compute.cluster import ClusterPool

MODEL = """
twin: rooms
origin: 2026-01-01
asset_types:
  room:
    properties: {limit: {unit: degC}}
    signals:
      temperature: {unit: degC, resolution: 0.01, cadence: 5min, sensor_span: [-40, 60], expected_span: [0, 30],
                    tests: {peers: {resolution: 0.2}}}
      door: {kind: state, cadence: 5min, states: {0: closed, 1: open}}
      energy: {kind: counter, unit: kWh, resolution: 0.1, cadence: 5min}
kpis:
  warm: {on: room, formula: time_share(temperature > 9 degC), unit: "%", period: 1d}
  mean: {on: room, formula: time_mean(temperature), unit: degC, period: 1d}
  used: {on: room, formula: total(energy), unit: kWh, period: 1d}
"""
MAPPING = """
source: log
files: ["log*.csv"]
tables:
  - table: "log*"
    time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns:
      t: {signal: temperature, unit: degC}
      door: {signal: door}
      energy: {signal: energy, unit: kWh}
"""
ROOMS, DAYS = 12, 70


@pytest.fixture(scope="session")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> tl.Twin:
    """Return a twin with 70 days of twelve rooms; the last day isn't published yet. Tests only read it."""
    folder = tmp_path_factory.mktemp("rooms")
    rng = np.random.default_rng(17)
    times = pd.date_range("2026-01-20", periods=DAYS * 288, freq="5min")
    hours = np.arange(len(times)) / 12
    frames = []
    for number in range(ROOMS):
        warmth = (
            6 + 4 * np.sin(hours / 24 * 2 * np.pi + number) + 2 * np.sin(hours / 311) + rng.normal(0, 0.3, len(times))
        )
        frames.append(
            pd.DataFrame(
                {
                    "time": times, "room": f"R{number}", "t": warmth.round(2), "door": (rng.random(len(times)) < 0.02).astype(int),
                    "energy": np.cumsum(rng.random(len(times))).round(1),
                }
            )
        )  # fmt: skip
    rows = pd.concat(frames).sort_values("time", kind="stable")
    # Some sensors are silent over the end of a month.
    rows = rows[~((rows["room"] == "R3") & rows["time"].between("2026-01-30", "2026-02-02"))]
    rows["time"] = rows["time"].dt.strftime("%Y-%m-%dT%H:%M")
    (folder / "model.yaml").write_text(MODEL)
    (folder / "log.yaml").write_text(MAPPING)
    last = rows["time"] >= "2026-03-30"
    twin = tl.create(folder / "twin", model=folder / "model.yaml", mappings=folder / "log.yaml")
    for name, part in (("log1", rows[~last]), ("log2", rows[last])):
        part.to_csv(folder / f"{name}.csv", index=False)
    twin.ingest(folder / "log1.csv")
    with twin.writer() as writer:
        writer.append(rows[last])
    return tl.open(folder / "twin")


Losing = Callable[[], AbstractContextManager[list[int]]]


@pytest.fixture
def loses_a_worker(cluster_client: Any, monkeypatch: pytest.MonkeyPatch) -> Losing:
    """Return a context in which the third task of a call kills a worker; it yields the killed ids of processes."""

    @contextmanager
    def losing(after: int = 3) -> Iterator[list[int]]:
        killed: list[int] = []
        count = 0
        submit = ClusterPool.submit
        pids = sorted(cluster_client.run(os.getpid).values())

        def counted(self: ClusterPool, *arguments: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            out = submit(self, *arguments, **options)
            if count == after:
                killed.append(pids[0])
                os.kill(pids[0], signal.SIGKILL)
            return out

        with monkeypatch.context() as patch:
            patch.setattr(ClusterPool, "submit", counted)
            yield killed
        assert killed, f"only {count} tasks were begun"

    return losing


@pytest.fixture
def folder_of(rooms: tl.Twin) -> Path:
    """Return the folder of the twin."""
    return rooms.folder
