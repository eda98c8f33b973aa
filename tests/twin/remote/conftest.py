"""A server of S3's protocol with a proxy before it, and a small twin, for all tests of this folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "objects"))
sys.path.insert(0, str(Path(__file__).parent))
from s3_server import ENVIRONMENT, Proxy, make_bucket, proxy, s3_server

import twinlab as tl

MODEL = """
twin: cold
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
      door: {kind: state, cadence: 1min, states: {0: closed, 1: open}}
event_types:
  visit: {asset: room}
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
"""


def write_day(folder: Path, day: int) -> Path:
    """Write a day of two rooms as a file."""
    times = pd.date_range("2026-01-01", periods=1440, freq="1min") + pd.Timedelta(days=day)
    rng = np.random.default_rng(day)
    parts = [
        pd.DataFrame(
            {
                "time": times.strftime("%Y-%m-%dT%H:%M"),
                "room": room,
                "t": (4 + rng.normal(0, 1, 1440)).round(1),
                "door": rng.integers(0, 2, 1440),
            }
        )
        for room in ("A", "B")
    ]
    path = folder / f"log{day}.csv"
    pd.concat(parts).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def grow(tmp_path_factory: pytest.TempPathFactory) -> Callable[[tl.Twin, int], None]:
    """Return a function that takes a day of rows into a twin."""
    folder = tmp_path_factory.mktemp("files")
    return lambda twin, day: twin.ingest(write_day(folder, day))


@pytest.fixture
def day_of_rows(tmp_path: Path) -> Callable[[int], Path]:
    """Return a function that writes a day of rows as a file."""
    return lambda day: write_day(tmp_path, day)


@pytest.fixture
def twin(tmp_path: Path, grow: Callable[[tl.Twin, int], None]) -> tl.Twin:
    """Return a twin with a day of rows."""
    (tmp_path / "model.yaml").write_text(MODEL)
    (tmp_path / "log.yaml").write_text(MAPPING)
    made = tl.create(tmp_path / "cold", model=tmp_path / "model.yaml", mappings=tmp_path / "log.yaml")
    grow(made, 0)
    return made


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Yield the URL of a server with the bucket ``plant``."""
    with s3_server() as url:
        make_bucket(url, "plant")
        yield url


@pytest.fixture
def network(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Proxy]:
    """Yield the proxy that the environment names as the endpoint; each test has a cache of its own."""
    for name in [one for one in os.environ if one.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(f"AWS_{name}", str(tmp_path / "nothing"))
    monkeypatch.setenv("TWINLAB_CACHE", str(tmp_path / "cache"))
    with proxy(server) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        yield made


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    """Return an address that no other test uses."""
    return f"s3://plant/{request.node.name.replace('[', '-').replace(']', '')}"
