"""A small twin whose source is live."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import twinlab as tl

MODEL = """
twin: site
origin: 2026-01-01
asset_types:
  truck:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
"""
FEED = r"""
source: feed
stream:
  tags:
    '/^(?P<id>\w+)[.]t$/': {signal: temperature, asset: 'truck/{id}', unit: degC}
tables:
  - table: "*"
    time: {column: time, zone: UTC}
    asset: {type: truck, column: truck}
    columns: {temperature: {signal: temperature, unit: degC}}
live: LIVE
"""

Make = Callable[[str], tl.Twin]


@pytest.fixture
def live_twin(tmp_path: Path) -> Make:
    """Return a function that makes a twin with the source ``feed``, whose ``live:`` is given."""

    def made(live: str) -> tl.Twin:
        (tmp_path / "twin.yaml").write_text(MODEL)
        (tmp_path / "feed.yaml").write_text(FEED.replace("LIVE", live))
        return tl.create(tmp_path / "site", model=tmp_path / "twin.yaml", mappings=tmp_path / "feed.yaml")

    return made


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """300 rows of two trucks as a CSV file, a minute apart."""
    lines = [f"2026-03-01T{n // 60:02d}:{n % 60:02d}Z,{truck},{n / 10}" for n in range(150) for truck in "ab"]
    path = tmp_path / "site" / "log.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("time,truck,temperature\n" + "\n".join(lines) + "\n")
    return path
