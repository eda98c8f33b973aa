"""A lifetime of assets: a sensor that was replaced isn't missing for ever, and one to come isn't missing before."""

import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import SchemaError
from twinlab.model.load import parse_model

MODEL = """
twin: rooms
origin: 2026-01-01
asset_types:
  sensor:
    properties: {installed: {dtype: time}, removed: {dtype: time}}
    LIFETIME
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1h, spike: [3, 5], max_rate: [0.01, 0.1]}
"""
LIFETIME = "lifetime: {from: installed, until: removed}"
MAPPING = """
source: log
files: ["log*.csv", "sensors.csv"]
tables:
  - table: sensors
    assets: [{type: sensor, id: sensor, properties: {installed: installed, removed: removed}}]
  - table: "log*"
    time: {column: time, zone: UTC}
    asset: {type: sensor, column: sensor}
    columns: {t: {signal: temperature, unit: degC}}
"""


def a_twin(folder, lifetime=LIFETIME):
    folder.mkdir(exist_ok=True)
    (folder / "twin.yaml").write_text(MODEL.replace("LIFETIME", lifetime))
    (folder / "log.yaml").write_text(MAPPING)
    return tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "log.yaml")


def log(folder, name="log.csv", hours=range(12), sensors="AB"):
    path = folder / name
    rows = [f"2026-01-05 {h:02}:00,{s},{4 + h % 3}" for h in hours for s in sensors if s == "B" or h in (1, 2, 3, 5)]
    path.write_text("time,sensor,t\n" + "\n".join(rows) + "\n")
    return path


def sensors(folder, removed="2026-01-05 06:00", installed=""):
    path = folder / "sensors.csv"
    path.write_text(f"sensor,installed,removed\nA,{installed},{removed}\nB,,\n")
    return path


def flags(twin, sensor="A"):
    found = twin.history("sensor").temperature_qc.sel(asset=sensor, time="2026-01-05").compute()
    return found.values.tolist()[:12]


def test_nothing_is_missing_after_an_assets_lifetime(tmp_path):
    twin = a_twin(tmp_path)
    twin.ingest(log(tmp_path))
    assert flags(twin) == [2, 1, 1, 1, 9, 1, 9, 9, 9, 9, 9, 2]
    twin.ingest(sensors(tmp_path))
    assert flags(twin) == [2, 1, 1, 1, 9, 1, 2, 2, 2, 2, 2, 2]
    assert flags(twin, "B") == [1] * 12


def test_a_corrected_lifetime_changes_flags_and_no_others(tmp_path):
    twin = a_twin(tmp_path)
    twin.ingest(sensors(tmp_path), log(tmp_path))
    twin.ingest(sensors(tmp_path, removed="2026-01-05 09:00"))
    assert flags(twin) == [2, 1, 1, 1, 9, 1, 9, 9, 9, 2, 2, 2]
    twin.ingest(sensors(tmp_path, removed="2026-01-05 03:00", installed="2026-01-05 02:00"))
    later = flags(twin)
    assert later == [2, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    twin.rebuild()
    assert flags(twin) == later


def test_step_by_step_at_once_and_as_of_agree(tmp_path):
    step, once = a_twin(tmp_path / "a"), a_twin(tmp_path / "b")
    for part in (range(6), range(6, 12)):
        step.ingest(log(tmp_path / "a", f"log_{part.start}.csv", part))
    step.ingest(sensors(tmp_path / "a"))
    once.ingest(sensors(tmp_path / "b"), log(tmp_path / "b"))
    assert flags(step) == flags(once)
    assert flags(step, "B") == flags(once, "B")
    assert flags(step.as_of(pd.Timestamp.now("UTC") + pd.Timedelta("1h"))) == flags(once)


def test_without_a_lifetime_properties_change_no_flag(tmp_path):
    twin = a_twin(tmp_path, "title: Sensors")
    twin.ingest(sensors(tmp_path), log(tmp_path))
    assert flags(twin) == [2, 1, 1, 1, 9, 1, 9, 9, 9, 9, 9, 2]


@pytest.mark.parametrize("lifetime", ["lifetime: {until: gone}", "lifetime: {from: installed, until: name}"])
def test_a_lifetime_needs_properties_that_are_times(lifetime):
    text = MODEL.replace("LIFETIME", lifetime).replace("removed:", "name: {}, removed:")
    with pytest.raises(SchemaError, match="lifetime.until: expected a property with dtype: time"):
        parse_model(text)


def test_a_model_without_the_key_is_written_as_before():
    model = parse_model(MODEL.replace("LIFETIME", "title: Sensors"))
    assert "lifetime" not in model.asset_types["sensor"].model_dump()
