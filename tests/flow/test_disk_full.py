"""A full disk: a clear error, no damage, and ingesting continues when there is space again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import TwinlabError

MODEL = """
twin: probe
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.001, cadence: 1s, sensor_span: [-100, 100]}
"""
MAPPING = """
source: rooms
files: ["*.csv"]
tables:
  - time: {column: time, format: epoch_s, zone: UTC}
    asset: {type: room, column: room}
    columns: {temperature: {signal: temperature, unit: degC}}
"""


@pytest.fixture
def small_disk(tmp_path: Path, need: Callable[[str], Path | None]) -> Iterator[Path]:
    need("mount")
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("CI runs as root, to mount a small disk")
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def noise(path: Path, hour: int, rows: int = 40_000) -> Path:
    """Write values that don't compress well, so that the disk fills quickly."""
    rng = np.random.default_rng(hour)
    start = int(pd.Timestamp("2026-01-01").timestamp()) + hour * rows
    table = {"time": start + np.arange(rows), "room": "A", "temperature": rng.uniform(-90, 90, rows).round(3)}
    pd.DataFrame(table).to_csv(path, index=False)
    return path


def test_a_full_disk_is_a_clear_error_and_the_work_goes_on_with_space(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "rooms.yaml").write_text(MAPPING)
    twin = tl.create(small_disk / "twin", model=tmp_path / "twin.yaml", mappings=tmp_path / "rooms.yaml")
    taken: list[Path] = []
    with pytest.raises((TwinlabError, OSError), match=r"(?i)space|full"):
        for hour in range(60):
            path = noise(tmp_path / f"rooms-{hour:02d}.csv", hour)
            twin.ingest(path)
            taken.append(path)
    assert taken, "the disk must have space for a first file"
    failed = path

    # All acknowledged values are still there.
    again = tl.open(small_disk / "twin")
    assert again.verify().ok
    expected = pd.concat([pd.read_csv(one) for one in taken])["temperature"].to_numpy()
    stop = pd.Timestamp("2026-01-01") + pd.Timedelta(seconds=len(expected))
    values = again.history("room", start="2026-01-01", stop=stop).temperature.sel(asset="A").values
    np.testing.assert_allclose(values, expected, atol=1e-9)

    # With space again, the same call succeeds without duplicates.
    subprocess.run(["mount", "-o", "remount,size=60m", str(small_disk)], check=True)
    again.ingest(failed)
    values = again.history("room").temperature.sel(asset="A").values
    expected = pd.concat([pd.read_csv(one) for one in [*taken, failed]])["temperature"].to_numpy()
    np.testing.assert_allclose(values[: len(expected)], expected, atol=1e-9)
    assert again.verify().ok
