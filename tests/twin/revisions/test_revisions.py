"""From a wrong unit to a promoted revision, and back."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import HistoryConflictError, SchemaError, UnitError, UnknownTermError
from twinlab.history import HistoryReader
from twinlab.ledger import Ledger
from twinlab.twin.definitions import read_definitions
from twinlab.twin.revisions.kpi_changes import kpi_means

MODEL = """\
twin: cold_chain
origin: 2026-01-01
asset_types:
  fridge:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 10min, sensor_span: [-60, 60]}
      humidity: {unit: "%", resolution: 1, cadence: 10min}
event_types:
  visit: {asset: fridge, properties: {guests: {dtype: integer}}}
rules:
  too_warm: {on: fridge, when: temperature > 8 degC, severity: high}
kpis:
  cold: {on: fridge, formula: time_share(temperature <= 5 degC), unit: "%"}
  damp: {on: fridge, formula: time_mean(humidity)}
  guests: {on: visit, formula: sum(guests)}
"""
MAPPING = """\
source: fridges
files: ["fridges*.csv"]
# What the loggers write.
tables:
  - table: fridges
    time: {column: time, zone: UTC}
    asset: {type: fridge, column: name}
    columns:
      temp: {signal: temperature, unit: degC}
      hum: {signal: humidity, unit: "%"}
"""
VISITS = """\
source: visits
files: ["visits*.csv"]
tables:
  - table: visits
    events:
      - type: visit
        key: [name, at]
        asset: {type: fridge, column: name}
        start: {column: at, zone: UTC}
        properties: {guests: guests}
"""


def rows(day: str = "2026-01-02", days: int = 2, seed: int = 1) -> pd.DataFrame:
    """Temperatures of three fridges in °F, and their humidity."""
    rng = np.random.default_rng(seed)
    times = pd.date_range(day, periods=days * 144, freq="10min")
    parts = [
        pd.DataFrame({"time": times, "name": f"f{n}", "temp": rng.normal(39, 1, len(times)).round(1), "hum": 40 + n})
        for n in range(3)
    ]
    return pd.concat(parts)


@pytest.fixture(scope="module")
def cold_chain(tmp_path_factory) -> Path:
    """The folder of a twin whose mapping says degC of values in degF."""
    folder = tmp_path_factory.mktemp("cold")
    (folder / "model.yaml").write_text(MODEL)
    (folder / "maps").mkdir()
    (folder / "maps/fridges.yaml").write_text(MAPPING)
    (folder / "maps/visits.yaml").write_text(VISITS)
    rows().to_csv(folder / "fridges.csv", index=False)
    visits = pd.DataFrame({"name": ["f0", "f1"], "at": ["2026-01-02T10:00", "2026-01-03T11:00"], "guests": [1, 2]})
    visits.to_csv(folder / "visits.csv", index=False)
    twin = tl.create(folder / "twin", model=folder / "model.yaml", mappings=folder / "maps")
    twin.ingest(folder / "fridges.csv", folder / "visits.csv")
    return folder / "twin"


@pytest.fixture
def twin(cold_chain, tmp_path):
    shutil.copytree(cold_chain, tmp_path / "twin")
    return tl.open(tmp_path / "twin")


def more(folder: Path, day: str) -> Path:
    """A file of the same name with further rows: those of one more day."""
    path = folder / day / "fridges.csv"
    path.parent.mkdir()
    pd.concat([rows(), rows("2026-01-04", (pd.Timestamp(day) - pd.Timestamp("2026-01-03")).days, seed=3)]).to_csv(
        path, index=False
    )
    return path


FAHRENHEIT = MAPPING.replace("unit: degC", "unit: degF")


def mean(reader) -> float:
    return float(reader.history("fridge", signals=["temperature"]).temperature.mean())


def test_a_wrong_unit_is_fixed_seen_and_promoted(twin):
    assert mean(twin) > 30
    rev = twin.remap("fridges", FAHRENHEIT, author="ada", reason="loggers write °F")
    assert mean(twin) > 30  # nobody sees the revision yet
    assert mean(rev) == pytest.approx((mean(twin) - 32) / 1.8, abs=0.05)
    diff = rev.diff()
    assert set(diff.cells["signal"]) == {"temperature"}
    assert diff.cells["cells"].sum() == 3 * 288
    assert diff.signals().iloc[0]["mean_after"] == pytest.approx(3.9, abs=0.2)
    gone = diff.exceptions.groupby(["rule", "change"]).size()
    assert gone.to_dict() == {("too_warm", "vanished"): 3}
    assert len(diff.events) == 0
    assert "too_warm: 3 exceptions vanished" in repr(diff)
    shown = diff.kpis.set_index("start")
    assert shown["kpi"].unique().tolist() == ["cold"]
    for name, reader in (("before", twin), ("after", rev)):
        data = reader.kpi("cold")
        for column in ("value", "low", "high", "coverage"):
            np.testing.assert_array_equal(shown[f"{column}_{name}"], data[column].values)
        assert data["time"].values.tolist() == shown.index.to_numpy().astype("int64").tolist()
    assert (shown["value_before"] == 0).all()
    mean_after = shown["value_after"].mean()
    assert f"cold: 2 windows, mean 0 % -> {mean_after:.4g} %, 2026-01-02 to 2026-01-04" in repr(diff)
    assert f"{mean_after:.4g} %" in diff._repr_html_()
    assert rev.diff(start="2026-01-03").kpis["start"].tolist() == [pd.Timestamp("2026-01-03")]
    assert "temperature" in diff._repr_html_()
    rev.promote(author="bob", reason="looks right")
    assert mean(twin) < 5
    assert mean(tl.open(twin.folder)) < 5
    assert (twin.folder / "mapping/fridges.yaml").read_text() == FAHRENHEIT  # with its comment
    assert twin.edits() == []
    row = twin.revisions().iloc[0]
    assert (row["state"], row["author"], row["decided_by"], row["decision_reason"]) == (
        "promoted",
        "ada",
        "bob",
        "looks right",
    )
    with pytest.raises(SchemaError, match="was promoted"):
        rev.promote()


def test_a_rollback_restores_values_and_file(twin):
    before = twin.history("fridge").compute()
    twin.remap("fridges", FAHRENHEIT).promote()
    twin.rollback(author="ada")
    assert twin.history("fridge").compute().equals(before)
    assert (twin.folder / "mapping/fridges.yaml").read_text() == MAPPING
    with pytest.raises(SchemaError, match="there is none"):
        twin.rollback()


def test_a_discarded_revision_leaves_nothing(twin):
    rev = twin.remap("fridges", FAHRENHEIT)
    rev.discard(author="ada", reason="no")
    assert twin.revisions()["state"].tolist() == ["discarded"]
    with pytest.raises(SchemaError, match="was discarded"):
        rev.diff()
    assert mean(twin) > 30


def test_two_revisions_of_two_sources_are_promoted_one_after_the_other(twin):
    one = twin.remap("fridges", FAHRENHEIT)
    other = twin.remap("visits", VISITS.replace("zone: UTC", "zone: Europe/Berlin"))
    assert other.diff().events["change"].tolist() == ["moved", "moved"]
    one.promote()
    other.promote()
    assert mean(twin) < 5
    assert twin.events("visit")["start"].iloc[0] == pd.Timestamp("2026-01-02T09:00")
    twin.rollback()
    assert twin.events("visit")["start"].iloc[0] == pd.Timestamp("2026-01-02T10:00")
    assert mean(twin) < 5


def test_rows_that_arrive_meanwhile_are_in_the_promoted_history(twin, tmp_path):
    rev = twin.remap("fridges", FAHRENHEIT)
    twin.ingest(more(tmp_path, "2026-01-04"))
    assert float(rev.history("fridge", start="2026-01-04").temperature.mean()) < 5
    rev.promote()
    data = twin.history("fridge", start="2026-01-04").temperature
    assert int(data.notnull().sum()) == 3 * 144
    assert float(data.max()) < 8


def test_a_reader_of_an_older_state_keeps_it(twin):
    other = tl.open(twin.folder)
    data = other.history("fridge").temperature
    twin.remap("fridges", FAHRENHEIT).promote()
    assert float(data.mean()) > 30
    assert mean(other) < 5  # a new question has the new state


def test_a_writer_with_earlier_definitions_follows_a_promotion(twin, tmp_path):
    other = tl.open(twin.folder)
    other.ingest(more(tmp_path, "2026-01-04"))
    twin.remap("fridges", FAHRENHEIT).promote()
    other.ingest(more(tmp_path, "2026-01-05"))
    assert int(other.history("fridge").temperature.notnull().sum()) == 4 * 3 * 144
    assert mean(other) < 5
    assert mean(tl.open(twin.folder)) < 5


@pytest.mark.parametrize(
    ("source", "text", "error", "message"),
    [
        ("fridge", FAHRENHEIT, UnknownTermError, "did you mean 'fridges'"),
        ("fridges", MAPPING, SchemaError, "means the same"),
        ("fridges", "nowhere.yaml", SchemaError, "can't be read"),
        ("fridges", MAPPING.replace("unit: degC", "unit: degX"), UnitError, "degX"),
        ("fridges", MAPPING.replace("signal: temperature", "signal: temperatur"), UnknownTermError, "temperatur"),
        ("fridges", VISITS, SchemaError, "maps the source 'visits'"),
        ("fridges", MAPPING.replace("column: time", "column: when"), SchemaError, "100% of the rows of 'fridges'"),
        ("fridges", MAPPING.replace("column: name", "column: nam"), SchemaError, "without a meaning"),
    ],
)
def test_a_mapping_that_cannot_be_meant_is_refused_before_anything_is_built(twin, source, text, error, message):
    with pytest.raises(error, match=message):
        twin.remap(source, text)
    assert len(twin.revisions()) == 0
    assert mean(twin) > 30


def test_a_twin_without_a_history_has_nothing_to_revise(tmp_path):
    (tmp_path / "model.yaml").write_text(MODEL)
    (tmp_path / "fridges.yaml").write_text(MAPPING)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "model.yaml", mappings=tmp_path / "fridges.yaml")
    for revise in (lambda: twin.remap("fridges", FAHRENHEIT), lambda: twin.remodel(MODEL.replace("0.1", "0.2"))):
        with pytest.raises(SchemaError, match="has none yet"):
            revise()
    assert len(twin.revisions()) == 0


def test_a_mapping_that_drops_most_rows_is_built_if_forced(twin):
    rev = twin.remap("fridges", MAPPING.replace("column: time", "column: when"), force=True)
    assert rev.diff().cells["vanished"].sum() == 2 * 3 * 288


def test_a_renamed_signal_and_another_span_are_a_revision_of_the_model(twin):
    model = MODEL.replace("temperature: {", "air_temperature: {").replace("temperature >", "air_temperature >")
    model = model.replace("(temperature <=", "(air_temperature <=")
    with pytest.raises(UnknownTermError, match="temperature"):
        twin.remodel(model)  # the mapping still names the old signal
    rev = twin.remodel(model, mappings={"fridges": MAPPING.replace("signal: temperature", "signal: air_temperature")})
    cells = rev.diff().cells.groupby("signal")[["appeared", "vanished"]].sum()
    assert cells.loc["air_temperature", "appeared"] == cells.loc["temperature", "vanished"] == 3 * 288
    rev.promote()
    assert "air_temperature" in twin.history("fridge")
    assert "air_temperature" in tl.open(twin.folder).model.asset_types["fridge"].signals
    narrow = model.replace("sensor_span: [-60, 60]", "sensor_span: [-60, 30]")
    rev = twin.remodel(narrow)
    flags = rev.diff().flags
    assert flags[["signal", "before", "after"]].values.tolist() == [["air_temperature", "pass", "fail"]]
    assert flags["cells"].sum() == 3 * 288


def kpi_means_of(diff):
    """Return name -> mean value before and after, None without a value."""
    return {
        one.kpi: tuple(None if np.isnan(value) else value for value in (one.value_before, one.value_after))
        for one in kpi_means(diff.kpis).itertuples()
    }


def test_kpis_that_are_redefined_added_or_removed_are_compared(twin):
    changed = MODEL.replace("<= 5 degC", "<= 40 degC").replace(
        "  guests: {on: visit, formula: sum(guests)", "  visits: {on: visit, formula: count(visit)"
    )
    # A sensor's span is in the bounds of what is missing; here nothing is.
    found = twin.remodel(
        changed.replace("resolution: 1, cadence", "resolution: 1, sensor_span: [0, 100], cadence")
    ).diff()
    assert found.cells["cells"].sum() == 0
    assert kpi_means_of(found) == {
        "cold": (0.0, pytest.approx(89, abs=1)),
        "guests": (1.5, None),
        "visits": (None, 1.0),
    }
    assert "guests: 2 windows, mean 1.5 -> –" in repr(found)


def test_the_span_of_a_sensor_changes_the_bounds_of_a_kpi(twin, tmp_path):
    gap = pd.DataFrame({"time": ["2026-01-04T12:00"], "name": ["f0"], "temp": [39], "hum": [40]})
    pd.concat([rows(), gap]).to_csv(tmp_path / "fridges.csv", index=False)
    twin.ingest(tmp_path / "fridges.csv")
    found = (
        twin.remodel(MODEL.replace("resolution: 1, cadence", "resolution: 1, sensor_span: [0, 100], cadence"))
        .diff()
        .kpis
    )
    assert (found["kpi"] == "damp").all()
    assert found["start"].tolist() == [pd.Timestamp("2026-01-04")]
    assert np.isinf(found["high_before"]).all()
    assert ((found["high_after"] > 40) & (found["high_after"] <= 100)).all()


def test_an_event_that_moves_changes_its_kpis(twin):
    found = twin.remap("visits", VISITS.replace("zone: UTC", "zone: Pacific/Kiritimati")).diff().kpis
    assert (found["kpi"] == "guests").all()
    assert [str(one.date()) for one in found["start"]] == ["2026-01-01", "2026-01-02", "2026-01-03"]
    assert found["value_before"].fillna(0).tolist() == [0.0, 1.0, 2.0]
    assert found["value_after"].fillna(0).tolist() == [1.0, 2.0, 0.0]
    assert (found["coverage_after"] <= 1).all()


def test_an_edited_file_is_shown_until_it_is_applied(twin):
    path = twin.folder / "mapping/fridges.yaml"
    path.write_text(FAHRENHEIT)
    assert "mapping/fridges.yaml changed" in repr(twin)
    assert "mapping/fridges.yaml changed" in twin._repr_html_()
    other = tl.open(twin.folder)
    assert mean(other) > 30
    assert len(other.edits()) == 1
    other.rebuild()
    assert (mean(other), other.edits()) == (pytest.approx(3.9, abs=0.2), [])
    path.write_text("tables: [")
    assert "can't be read" in other.edits()[0]


def test_a_missing_mapping_keeps_its_meaning_and_is_named(twin, tmp_path):
    path = twin.folder / "mapping/fridges.yaml"
    path.unlink()
    other = tl.open(twin.folder)
    assert "has no file" in other.edits()[0]
    other.ingest(more(tmp_path, "2026-01-04"))
    assert int(other.history("fridge", start="2026-01-04").temperature.notnull().sum()) == 3 * 144
    other.restore_mapping("fridges")
    assert path.exists()
    assert other.edits() == []
    path.unlink()
    other.rebuild()
    assert other.edits() == []
    assert "fridges" not in tl.open(twin.folder).mappings


def test_an_edit_of_the_history_waits_for_another_writer(twin):
    rev = twin.remap("fridges", FAHRENHEIT)
    from twinlab.history.revisions import promote
    from twinlab.twin.revisions import revision

    with promote.locked_history(twin.folder):
        original = revision.locked_history
        revision.locked_history = lambda root, wait: original(root, wait=0.0)
        try:
            with pytest.raises(HistoryConflictError):
                rev.promote()
        finally:
            revision.locked_history = original
    assert rev.state == "open"
    rev.promote()
    assert mean(twin) < 5


@pytest.mark.parametrize("step", ["write_definition", "move_history", "log.complete", "branch.delete"])
def test_a_promotion_that_is_interrupted_at_any_step_is_completed_by_the_next_opening(twin, monkeypatch, step):
    rev = twin.remap("fridges", FAHRENHEIT)
    with monkeypatch.context() as patch:

        def interrupt(*given: object) -> None:
            raise KeyboardInterrupt

        if step == "log.complete":
            patch.setattr(twin.revision_log, "complete", interrupt)
        elif step == "branch.delete":
            patch.setattr("twinlab.history.revisions.branch.RevisionBranch.delete", interrupt)
        else:
            patch.setattr(f"twinlab.twin.revisions.promotion.{step}", interrupt)
        with pytest.raises(KeyboardInterrupt):
            rev.promote(author="ada")
    # Nobody reads a state between the two, and the next opening completes it.
    reader = HistoryReader(twin.folder, Ledger(twin.folder / "ledger"), *read_definitions(twin.folder))
    assert mean(reader) > 30 if step in {"write_definition", "move_history"} else mean(reader) < 5
    again = tl.open(twin.folder)
    assert mean(again) < 5
    assert again.edits() == []
    assert again.revisions()["state"].tolist() == ["promoted"]
    assert mean(twin) < 5
    twin.rollback()
    assert mean(again) > 30
