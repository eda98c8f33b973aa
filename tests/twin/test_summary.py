"""The printed summary of a twin: aligned, and coverage from the first to the last value of a signal."""

from __future__ import annotations

import re

import pandas as pd
import pytest

import twinlab as tl
from twinlab.model.flags import Flag

MODEL = """
twin: pilot
asset_types:
  machine:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1h}
      vibration_of_the_main_bearing: {unit: mm/s, resolution: 0.1, cadence: 1h}
      level: {unit: m, resolution: 0.01, cadence: 1d}
      never: {unit: m, resolution: 0.01, cadence: 1h}
"""
MAPPING = """
source: machines
files: ["*.csv"]
tables:
  - table: machines
    time: {column: time, format: iso, zone: UTC}
    asset: {type: machine, column: machine}
    columns:
      t: {signal: temperature, unit: degC}
      v: {signal: vibration_of_the_main_bearing, unit: mm/s}
      l: {signal: level, unit: m}
"""
STARTED, ENDED = pd.Timestamp("2026-03-05T07:00"), pd.Timestamp("2026-03-28T13:00")


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> tl.Twin:
    folder = tmp_path_factory.mktemp("machines")
    (folder / "twin.yaml").write_text(MODEL, encoding="utf-8")
    (folder / "map.yaml").write_text(MAPPING, encoding="utf-8")
    time = pd.date_range("2026-01-01", "2026-04-01", freq="1h", inclusive="left")
    # Recorded for three weeks of three months, with every fourth value missing.
    recorded = (time >= STARTED) & (time <= ENDED) & ((time.hour % 4 != 0) | (time == STARTED))
    rows = pd.DataFrame({"time": time.strftime("%Y-%m-%dT%H:%M"), "machine": "A", "t": 20.5})
    rows["v"] = pd.Series(1.5, index=rows.index).where(recorded)
    rows["l"] = pd.Series(2.5, index=rows.index).where((time.hour == 0) & (time >= "2026-02-01"))
    rows.to_csv(folder / "machines.csv", index=False)
    made = tl.create(folder / "pilot", model=folder / "twin.yaml", mappings=folder / "map.yaml")
    made.ingest(folder / "machines.csv")
    return tl.open(folder / "pilot")


def test_columns_are_aligned_and_one_asset_is_one_asset(twin: tl.Twin) -> None:
    text = repr(twin)
    assert "  machine: 1 asset\n" in text
    lines = [line for line in text.splitlines() if "coverage" in line]
    assert len(lines) == 4
    assert len({line.index("coverage") for line in lines}) == len({line.index(" to ") for line in lines}) == 1


def test_coverage_counts_from_the_first_to_the_last_value(twin: tl.Twin) -> None:
    found = dict(re.findall(r"^    (\w+) .* coverage +(\d+)%", repr(twin), re.MULTILINE))
    assert found == {"temperature": "100", "vibration_of_the_main_bearing": "75", "level": "100", "never": "0"}


def test_extents_of_values_are_exact(twin: tl.Twin) -> None:
    extents = twin._reader.value_extents()
    for name in ("temperature", "vibration_of_the_main_bearing", "level"):
        data = twin.history("machine", signals=[name]).compute()
        there = data[name].notnull().any("asset").values
        times = data.time.values[there]
        flags = data[f"{name}_qc"].sel(time=slice(times[0], times[-1]))
        one = extents["machine", name]
        assert (one.first, one.last) == (times[0], times[-1])
        assert one.missing == int((flags == Flag.MISSING).sum())
    assert ("machine", "never") not in extents
