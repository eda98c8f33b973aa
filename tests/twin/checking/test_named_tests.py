"""Findings of flags carry the name of the test that gave them, also of the source's own status."""

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.twin.checking import flagged

MODEL = """
twin: tanks
origin: 2026-01-01T00:00:00Z
asset_types:
  tank:
    signals:
      level:
        unit: m
        resolution: 0.01
        cadence: 10min
        sensor_span: [0, 20]
        expected_span: [1, 10]
        spike: [1, 3]
        max_rate: [0.01, 0.02]
        flat_line: 6h
        tests:
          completeness: {period: 6h, least: 0.9}
          status: {codes: {ok: pass, held: suspect, bad: fail}}
      mode: {kind: state, states: {0: idle, 1: pumping}, cadence: 10min}
"""
MAPPING = """source: tanks
files: ["tanks*.csv"]
tables:
  - time: {column: time, zone: UTC}
    asset: {type: tank, column: tank}
    columns:
      level: {signal: level, status: {column: state, codes: {ok: pass, held: suspect, bad: pass}}}
      mode: {signal: mode, states: {idle: idle, pumping: pumping}}
"""
TIMES = pd.date_range("2026-01-05", periods=6 * 24 * 10, freq="10min", tz="UTC")
FLAT, SPIKE, HELD, BAD, SPARSE = slice(200, 260), 400, slice(600, 604), 700, slice(900, 930)


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> tl.Twin:
    folder = tmp_path_factory.mktemp("tanks")
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "tanks.yaml").write_text(MAPPING)
    rng = np.random.default_rng(2)
    parts = []
    for place, tank in enumerate("ABC"):
        values = 4 + place + np.sin(np.arange(len(TIMES)) / 40) + rng.normal(0, 0.05, len(TIMES))
        state = np.full(len(TIMES), "ok", dtype=object)
        kept = np.ones(len(TIMES), dtype=bool)
        if tank == "B":
            values[FLAT] = values[FLAT.start]
            values[SPIKE] += 9
            state[HELD] = "held"
            state[BAD] = "bad"
            kept[SPARSE] = np.arange(SPARSE.stop - SPARSE.start) % 3 == 0
        rows = {"time": TIMES.strftime("%Y-%m-%dT%H:%M:%SZ"), "tank": tank, "level": values.round(2), "state": state}
        parts.append(pd.DataFrame(rows | {"mode": "idle"})[kept])
    pd.concat(parts).to_csv(folder / "tanks.csv", index=False)
    made = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=[folder / "tanks.yaml"])
    made.ingest(folder / "tanks.csv")
    return made


def test_each_test_of_one_signal_is_a_finding_of_its_name(twin: tl.Twin) -> None:
    table = twin.check().table
    assert set(table.asset) == {"B"}, table[["kind", "asset", "evidence"]].to_string()
    levels = table[table.signal == "level"]
    # The spike is suspect to the tests of range and rate, too: it fails because of the test of spikes.
    assert sorted(levels.kind) == ["completeness", "flat_line", "missing", "spike", "status", "status"]
    by = levels.drop_duplicates("kind").set_index("kind")
    at = TIMES.tz_localize(None)
    assert by.since["flat_line"] > at[FLAT.start]
    assert by.until["flat_line"] == at[FLAT.stop]
    assert by.since["spike"] == at[SPIKE - 1]
    assert by.until["spike"] == at[SPIKE + 2]
    assert "fail the test 'spike'" in by.evidence["spike"]
    assert "such as 4.43 to 13.34 m" in by.evidence["spike"]


def test_the_status_of_the_source_is_named_in_history_and_by_the_test_of_observations(twin: tl.Twin) -> None:
    table = twin.check(signals=["level"]).table
    built, observed = (row for row in table[table.kind == "status"].sort_values("confidence").itertuples())
    at = TIMES.tz_localize(None)
    # The mapping lets "bad" pass, so that the history doesn't know of it.
    assert "4 of 1,420 values are suspect to the source's own status" in built.evidence
    assert (built.since, built.until) == (at[HELD.start], at[HELD.stop])
    assert "fail the test 'status'" in observed.evidence
    assert observed.until > at[BAD]


def test_pieces_of_the_cells_give_the_same_findings(twin: tl.Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = twin.check(signals=["level"]).table
    monkeypatch.setattr(flagged, "_PIECE", 100)
    assert twin.check(signals=["level"]).table.equals(whole)


def test_observations_have_the_status_that_the_mapping_names(twin: tl.Twin) -> None:
    rows = twin.observations("tank/B", "level")
    assert rows.status.value_counts().to_dict() == {"ok": len(rows) - 5, "held": 4, "bad": 1}
    assert "status" not in twin.observations("tank/B", "mode")


def test_a_check_of_a_part_sees_what_was_before_its_start(twin: tl.Twin) -> None:
    table = twin.check(signals=["level"], start=TIMES[FLAT.stop - 8], stop=TIMES[FLAT.stop + 10]).table
    assert table.kind.tolist() == ["flat_line"]
    assert "8 of 18 values are suspect to the test 'flat_line'" in table.evidence[0]
