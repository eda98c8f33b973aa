"""Signals that are labels: marked in datasets, and never compared by a rule."""

import pytest

import twinlab as tl
from twinlab.errors import SchemaError
from twinlab.model import AssetType, Rule, Signal, TwinModel

FAULT = {"kind": "state", "states": {0: "none", 1: "stuck"}}


def test_a_rule_cannot_use_a_label():
    room = AssetType(signals={"fault": Signal(role="label", **FAULT), "temperature": Signal(resolution=0.1)})
    model = TwinModel(twin="x", asset_types={"room": room})
    with pytest.raises(SchemaError, match="the signal 'fault' is a label"):
        Rule(on="room", when="fault == stuck").condition(model)
    assert Rule(on="room", when="temperature > 3").condition(model).right.value == 3


def test_labels_are_marked_in_datasets(tmp_path):
    (tmp_path / "twin.yaml").write_text("""
twin: rooms
origin: 2026-01-01
asset_types:
  room:
    signals:
      occupied: {kind: state, states: {0: "no", 1: "yes"}, cadence: 1h, role: label}
      co2: {unit: ppm, resolution: 1, cadence: 1h}
""")
    (tmp_path / "log.yaml").write_text("""
source: log
files: [log.csv]
tables:
  - time: {column: time, zone: UTC}
    asset: {type: room, id: A}
    columns: {occupied: {signal: occupied, states: {0: "no", 1: "yes"}}, co2: {signal: co2, unit: ppm}}
""")
    (tmp_path / "log.csv").write_text("time,occupied,co2\n2026-01-05 00:00,1,420\n2026-01-05 01:00,0,430\n")
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=tmp_path / "log.yaml")
    twin.ingest(tmp_path / "log.csv")
    history = twin.history("room")
    assert list(history.filter_by_attrs(role="label").data_vars) == ["occupied"]
    assert "role" not in history.co2.attrs


def test_a_signal_without_a_role_is_written_as_before():
    assert "role" not in Signal(resolution=1).model_dump()
