"""What is learnt from a twin's history becomes a file, and only approval changes ``twin.yaml``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import twinlab
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.twin.proposals.proposal import write_proposal

MODEL = """# The cold rooms of the north.
twin: cold
asset_types:
  room:
    signals:
      temperature:  # of the air
        unit: degC
        cadence: 1h
        resolution: 0.1
      door: {kind: state, states: {0: shut, 1: open}}
"""
MAPPING = """source: log
files: ["*.csv"]
tables:
- table: log
  asset: {type: room, column: room}
  time: {column: time, zone: UTC}
  columns: {t: {signal: temperature, unit: degC}}
"""


@pytest.fixture
def twin(tmp_path: Path) -> twinlab.Twin:
    folder = tmp_path / "cold"
    (tmp_path / "twin.yaml").write_text(MODEL, encoding="utf-8")
    (tmp_path / "log.yaml").write_text(MAPPING, encoding="utf-8")
    hours = np.datetime64("2026-01-01T00", "h") + np.arange(24 * 28)
    values = 4 + np.random.default_rng(2).normal(0, 0.5, hours.size).round(1)
    rows = "".join(f"{hour}:00Z,A,{value:.1f}\n" for hour, value in zip(hours, values, strict=True))
    (tmp_path / "log.csv").write_text("time,room,t\n" + rows, encoding="utf-8")
    made = twinlab.create(folder, model=tmp_path / "twin.yaml")
    made.ingest(twinlab.sources.csv(tmp_path / "log.csv", mapping=tmp_path / "log.yaml"))
    return made


def test_limits_are_proposed_and_written_only_when_approved(twin: twinlab.Twin) -> None:
    before = (twin.folder / "twin.yaml").read_text(encoding="utf-8")
    proposal = twin.learn_limits("room", "temperature", by=["hour"], hours=12, stop="2026-01-20")
    assert (twin.folder / "twin.yaml").read_text(encoding="utf-8") == before
    assert [one.path for one in twin.proposals()] == [proposal.path]
    assert "learnt from 456 values of 1 series, 2026-01-01 to 2026-01-19" in proposal.text
    assert "asset_types.room.signals.temperature.tests.climatology" in repr(proposal)
    proposal.approve()
    after = (twin.folder / "twin.yaml").read_text(encoding="utf-8")
    kept = [line for line in after.splitlines() if line in before.splitlines()]
    assert kept == before.splitlines(), "comments and other values stay"
    assert twin.proposals() == []
    with pytest.raises(SchemaError, match="it was approved at 20"):
        proposal.approve()
    twin.rebuild()
    spans = twin.model.asset_types["room"].signals["temperature"].tests["climatology"]["spans"]
    assert [span["hours"] for span in spans] == [[0, 12], [12, 24]]
    flags = twin.history("room", signals=["temperature"]).temperature_qc
    assert int((flags == 3).sum()) <= 2 and int((flags == 1).sum()) >= 670


def test_a_proposal_may_be_edited_or_discarded(twin: twinlab.Twin) -> None:
    proposal = twin.learn_limits("room", "temperature", by=())
    text = proposal.text
    proposal.path.write_text(text.replace("zone: UTC", "zone: Mars"), encoding="utf-8")
    before = (twin.folder / "twin.yaml").read_bytes()
    with pytest.raises(SchemaError, match=r"twin.yaml:\d+: .*climatology.zone.*time zone"):
        proposal.approve()
    assert (twin.folder / "twin.yaml").read_bytes() == before
    proposal.path.write_text("value: 3\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="expected the keys `at:`"):
        proposal.approve()
    proposal.discard()
    assert twin.proposals() == []
    with pytest.raises(SchemaError, match="it was discarded"):
        proposal.approve()


def test_a_second_proposal_replaces_the_first_and_an_approved_value(twin: twinlab.Twin) -> None:
    at = ("asset_types", "room", "signals", "temperature", "expected_span")
    write_proposal(twin.folder, at, [0, 8], evidence="a guess").approve()
    second = write_proposal(twin.folder, at, [1, 7], evidence="a better guess")
    assert [one.value for one in twin.proposals()] == [[1, 7]]
    second.approve()
    text = (twin.folder / "twin.yaml").read_text(encoding="utf-8")
    assert "expected_span: [1, 7]" in text and "# of the air" in text and "[0, 8]" not in text


def test_what_cant_be_learnt_is_refused(twin: twinlab.Twin) -> None:
    with pytest.raises(UnknownTermError, match="temperatur"):
        twin.learn_limits("room", "temperatur")
    with pytest.raises(SchemaError, match="gauge to learn limits of, got room.door, which is a state"):
        twin.learn_limits("room", "door")
    with pytest.raises(SchemaError, match="at least 100 values to learn limits from"):
        twin.learn_limits("room", "temperature", stop="2026-01-02")
    assert twin.proposals() == []


def test_a_relation_of_two_signals_is_proposed_and_the_check_uses_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    hours = np.datetime64("2026-01-01T00", "h") + np.arange(24 * 28)
    outside = 10 + 5 * np.sin(np.arange(hours.size) / 24)
    inside = 0.4 * outside + 2 + rng.normal(0, 0.1, hours.size)
    inside[600:606] += 5
    rows = [f"{at}:00Z,A,{a:.2f},{b:.2f}\n" for at, a, b in zip(hours, inside, outside, strict=True)]
    (tmp_path / "log.csv").write_text("time,room,t,out\n" + "".join(rows), encoding="utf-8")
    signal = "{unit: degC, cadence: 1h, resolution: 0.01}"
    model = f"twin: cold\nasset_types: {{room: {{signals: {{temperature: {signal}, outside: {signal}}}}}}}\n"
    (tmp_path / "twin.yaml").write_text(model, encoding="utf-8")
    (tmp_path / "log.yaml").write_text(MAPPING.replace("degC}}", "degC}, out: {signal: outside}}"), encoding="utf-8")
    twin = twinlab.create(tmp_path / "cold", model=tmp_path / "twin.yaml", mappings=[tmp_path / "log.yaml"])
    twin.ingest(tmp_path / "log.csv")
    proposal = twin.learn_relation("room", "temperature", ["outside"], stop="2026-01-20")
    assert "by robust regression" in proposal.text
    proposal.approve()
    twin = twinlab.open(twin.folder)
    test = twin.model.asset_types["room"].signals["temperature"].tests["multivariate"]
    assert abs(test["coefficients"]["outside"] - 0.4) < 0.01
    found = twin.check().table
    assert found.kind.tolist() == ["multivariate"]
    assert found.evidence[0].startswith("6 of 672 values are suspect to the test 'multivariate'")
