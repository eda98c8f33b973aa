"""Models stored beside a twin: cards, checks that find what was planted, proposals that are decided about."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from tests.predict.conftest import INPUTS, TARGET

P = tl.predict
RULE = P.ByEventTime()
LEADS = P.lead_times("12h", every="6h")
MAPPING = """\
source: log
files: ["log*.csv"]
tables:
  - table: "log*"
    time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns: {t: {signal: temperature, unit: degC}}
"""


def make(folder, *, shift=0.0, days=60):
    """A twin of two rooms; from day 48 on they are warmer by ``shift``."""
    folder.mkdir(parents=True)
    (folder / "twin.yaml").write_text(
        "twin: cold\norigin: 2026-01-01\nasset_types:\n  room:\n    signals:\n"
        "      temperature: {unit: degC, resolution: 0.1, cadence: 1h}\n"
    )
    (folder / "log.yaml").write_text(MAPPING)
    rng, hours = np.random.default_rng(3), np.arange(24 * days)
    rows = pd.DataFrame(
        {
            "time": np.repeat(np.datetime64("2026-01-01", "s") + hours * np.timedelta64(3600, "s"), 2),
            "room": ["A", "B"] * len(hours),
        }
    )
    hour = np.repeat(hours, 2)
    noise = rng.normal(0, 0.2, 2 * len(hours))
    rows["t"] = (4 + 2 * np.sin(hour * np.pi / 12) + noise + shift * (hour >= 48 * 24)).round(1)
    rows.to_csv(folder / "log.csv", index=False)
    twin = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "log.yaml")
    twin.ingest(folder / "log.csv")
    return twin


def predictor():
    features = (P.Lag("temperature"), P.Lag("temperature", "24h", of="valid_time"), P.LeadTime())
    inputs = replace(INPUTS, training="30d")
    point = P.FeaturePredictor(inputs, TARGET, features, P.SklearnRegressor(_ridge()), LEADS, train_every="3h")
    return P.Conformal(point, TARGET, calibration="7d", every="3h")


def _ridge():
    from sklearn.linear_model import Ridge

    return Ridge()


def fitted_on(twin):
    return P.fit_on(predictor(), twin, known="2026-02-10", knowledge=RULE)


def issue(twin, model, *, since, count):
    instants = [np.datetime64(since) + np.timedelta64(5 * number, "h") for number in range(count)]
    twin.predictions.add(
        "rooms", P.join([P.predict_at(model, twin, issue_time=one, knowledge=RULE) for one in instants])
    )


@pytest.fixture(scope="module")
def usual(tmp_path_factory, need):
    need("sklearn")
    twin = make(tmp_path_factory.mktemp("usual") / "files")
    twin.models.add("rooms", fitted_on(twin), owner="Cold chain", knowledge=RULE, limits=("Doors left open.",))
    return twin


@pytest.fixture
def twin(usual, tmp_path):
    """A copy that a test may change."""
    import shutil

    shutil.copytree(usual.folder, tmp_path / "twin")
    return tl.open(tmp_path / "twin")


@pytest.fixture(scope="module")
def warmer(tmp_path_factory, need):
    need("sklearn")
    return make(tmp_path_factory.mktemp("warmer") / "files", shift=3.0)


def test_a_stored_model_predicts_as_it_did_in_another_session(usual):
    again = tl.open(usual.folder)
    assert again.models.names == ["rooms"]
    row = again.models.table().iloc[0]
    assert (row["target"], row["asset_type"], row["owner"], row["fault"]) == ("temperature", "room", "Cold chain", "")
    assert row["stop"] == pd.Timestamp("2026-02-10")
    assert row["score"] == "mae"
    assert 0 < row["value"] < 0.5
    model = again.models.open("rooms")
    one, two = (
        P.predict_at(each, again, issue_time="2026-02-20", knowledge=RULE) for each in (model, fitted_on(again))
    )
    assert one.identical(two)
    assert one.attrs["model_hash"] == row["version"]
    assert not any("models" in str(path) for path in (usual.folder / "history").rglob("*"))


def test_a_card_has_data_window_inputs_scores_limits_and_owner(usual):
    card = usual.models.card("rooms")
    text = repr(card)
    for wanted in (
        "Cold chain",
        "2026-02-10T00:00",
        "temperature 24h before valid_time",
        "2,880 of log",
        "seasonal_naive",
        "Doors left open.",
    ):
        assert wanted in text
    assert "by event time" in text
    assert card.scores()["model"].tolist()[1:] == ["naive", "seasonal_naive", "median"]
    assert "Cold chain" in card._repr_html_()
    record = card.record
    assert set(record.mappings) == set(record.sources) == {"log"}
    assert record.position["log"] == 2880
    assert record.input_units == {"temperature": "degC"}


def test_a_model_to_which_nothing_has_happened_is_fine(twin):
    model = twin.models.open("rooms")
    issue(twin, model, since="2026-02-18", count=30)
    check = twin.models.check("rooms")
    assert check.verdict == "fine", repr(check)
    assert check.coverage.promised == pytest.approx(0.9)
    assert set(check.parts) == {"definitions", "inputs", "coverage", "errors"}
    assert check.false_alarms < 0.06
    # The predictions of another version say nothing of this one.
    assert twin.models._outcomes("another") is None


def test_without_stored_predictions_coverage_and_errors_are_not_known(usual):
    check = usual.models.check("rooms")
    assert check.verdict == "can't tell"
    assert "no stored prediction of this version" in check.reason
    assert check.parts["inputs"][0] == "fine"
    early = usual.models.check("rooms", at="2026-02-10T06:00")
    assert "after the training are needed" in early.parts["inputs"][1]


def test_rooms_that_became_warmer_are_found_as_drift_and_a_retraining_is_proposed(warmer):
    model = fitted_on(warmer)
    warmer.models.add("rooms", model, owner="Cold chain", knowledge=RULE)
    assert warmer.models.check("rooms", at="2026-02-17").parts["inputs"][0] == "fine"
    check = warmer.models.check("rooms")
    assert check.verdict == "retrain proposed"
    assert "temperature" in check.reason
    assert "PSI" in check.reason
    assert check.inputs.iloc[0]["drifted"]


def test_a_retrained_model_is_proposed_compared_promoted_and_taken_back(twin):
    models = twin.models
    first = models.current("rooms")
    proposal = models.retrain("rooms", test="8d", author="ann", reason="a new door")
    assert proposal.state == "proposed"
    assert models.current("rooms") == first
    assert models.table().iloc[0]["proposed"] == proposal.version
    diff = proposal.diff()
    assert set(diff.settings["what"]) == {"start", "stop"}
    assert diff.scores["model"].tolist()[:2] == ["proposed", "current"]
    assert diff.significance.iloc[0]["issue_times"] >= 20
    assert "issue times after both trainings" in diff.verdict
    assert "cpu_seconds of the fit" in diff.cost["what"].tolist()
    assert "start" in diff._repr_html_()
    assert "Settings" in repr(diff)
    proposal.promote(author="bob", reason="as good, and newer")
    assert models.current("rooms") == proposal.version
    with pytest.raises(tl.SchemaError, match="expected a proposed version of 'rooms'.* is current"):
        proposal.promote()
    assert models.rollback("rooms", author="bob", reason="the door is back") == first
    assert models.open("rooms").content_hash() == first
    table = models.decisions("rooms")
    assert table["what"].tolist() == ["added", "proposed", "promoted", "rolled back"]
    assert table["author"].tolist() == ["Cold chain", "ann", "bob", "bob"]
    assert table["reason"].iloc[2] == "as good, and newer"
    with pytest.raises(tl.SchemaError, match="expected a promotion of 'rooms' to take back"):
        models.rollback("rooms")
    assert models.versions("rooms")["state"].tolist() == ["current", "earlier"]


def test_a_discarded_proposal_leaves_nothing_but_its_record(twin):
    models = twin.models
    proposal = models.retrain("rooms", known="2026-02-20")
    assert models.proposal("rooms").version == proposal.version
    proposal.discard(author="ann", reason="no better")
    assert proposal.state == "discarded"
    assert "discarded" in repr(proposal)
    assert len(models.versions("rooms")) == 1
    with pytest.raises(tl.SchemaError, match="expected one proposal of 'rooms', got none"):
        models.proposal("rooms")


def test_a_changed_mapping_is_refused_with_the_reason(twin, tmp_path):
    (tmp_path / "new.yaml").write_text(MAPPING.replace("unit: degC", "unit: degF"))
    twin.remap("log", tmp_path / "new.yaml", force=True).promote(author="ann", reason="it writes °F")
    check = tl.open(twin.folder).models.check("rooms")
    assert check.verdict == "refused"
    assert "the mapping of 'log' has changed since the training" in check.reason


def test_a_changed_unit_is_refused_when_the_model_is_opened_and_checked(twin):
    file = twin.folder / "twin.yaml"
    text = file.read_text()
    twin.remodel(_degF(text, twin.folder.parent)).promote(author="ann", reason="as the people say")
    again = tl.open(twin.folder)
    with pytest.raises(tl.UnitError, match="temperature is in degF now, the model was trained on degC"):
        again.models.open("rooms")
    check = again.models.check("rooms")
    assert check.verdict == "refused"
    assert "degF" in check.reason


def _degF(text, folder):
    file = folder / "degF.yaml"
    file.write_text(text.replace("unit: degC", "unit: degF"))
    return file


def test_what_cannot_be_stored_or_decided_is_an_error_that_says_why(twin):
    models = twin.models
    model = models.open("rooms")
    with pytest.raises(tl.SchemaError, match="'rooms' is a model already"):
        models.add("rooms", model, owner="ann", knowledge=RULE)
    with pytest.raises(tl.SchemaError, match="who answers for the model"):
        models.add("x", model, owner=" ")
    with pytest.raises(tl.SchemaError, match="is current already: the same data and parameters"):
        models.propose("rooms", model)
    with pytest.raises(tl.SchemaError, match="became known after the training"):
        models.retrain("rooms", known="2026-02-09")
    with pytest.raises(tl.UnknownTermError, match="did you mean 'rooms'"):
        models.card("room")
    with pytest.raises(tl.UnknownTermError, match="expected a version of 'rooms'"):
        models.card("rooms", "0000")
    with pytest.raises(tl.SchemaError, match="expected a fitted predictor or a model of anomalies, got a dict"):
        models.add("x", {}, owner="ann")
    assert models.names == ["rooms"]


def test_a_damaged_file_is_a_fault_in_the_table_and_an_error_that_names_it(twin):
    file = twin.folder / "models" / "rooms" / f"{twin.models.current('rooms')}.model"
    file.write_bytes(file.read_bytes()[:2000])
    assert "can't be read" in twin.models.table().iloc[0]["fault"]
    with pytest.raises(tl.CorruptionError, match=file.name):
        twin.models.open("rooms")
    (twin.folder / "models" / "rooms" / "decisions.json").write_text("[{")
    with pytest.raises(tl.CorruptionError, match=r"decisions\.json can't be read"):
        twin.models.current("rooms")
    assert "decisions.json" in twin.models.table().iloc[0]["fault"]


def test_a_model_of_anomalies_is_stored_with_what_it_does_not_say_itself(twin):
    from twinlab.predict.anomaly import fit

    rows = twin.history("room").sel(time=slice("2026-01-05", "2026-02-09")).compute()
    model = fit(rows, delay=24)
    with pytest.raises(tl.SchemaError, match="asset_type=, step= .* and training="):
        twin.models.add("unusual", model, owner="ann")
    card = twin.models.add(
        "unusual",
        model,
        owner="ann",
        asset_type="room",
        step="1h",
        training=("2026-01-05", "2026-02-10"),
        knowledge=RULE,
    )
    assert card.record.target == "anomalies"
    again = twin.models.open("unusual")
    later = twin.history("room").sel(time=slice("2026-02-10", "2026-02-20")).compute()
    assert again.score(later)[0].identical(model.score(later)[0])
    assert twin.models.check("unusual").verdict == "fine"
    with pytest.raises(tl.SchemaError, match="stored without its parameters"):
        twin.models.retrain("unusual")


def test_a_model_of_anomalies_is_learnt_again_with_its_parameters_by_name(twin):
    from twinlab.predict.anomaly import Hysteresis, RobustZ

    fitted = twin.fit_anomalies(
        "room", usual=("2026-01-05", "2026-01-25"), signals=["temperature"], detector=RobustZ(0.99), hysteresis=Hysteresis(2, 3),
        per_100_asset_weeks=200,
    )  # fmt: skip
    card = twin.models.add("unusual", fitted, owner="ann", knowledge=RULE)
    assert (card.record.asset_type, card.record.step, card.record.stop[:10]) == ("room", "1h", "2026-01-25")
    proposal = twin.models.retrain("unusual", test="3d", author="bo")
    assert proposal.record.stop[:10] == "2026-02-27"
    assert np.datetime64(proposal.record.stop) - np.datetime64(proposal.record.start) == np.timedelta64(20, "D")
    again = twin.fit_anomalies(
        "room", usual=("2026-02-07", "2026-02-27"), signals=["temperature"], detector=RobustZ(0.99), hysteresis=Hysteresis(2, 3),
        per_100_asset_weeks=200,
    )  # fmt: skip
    later = twin.history("room").sel(time=slice("2026-02-27", None)).compute()
    assert proposal.fitted.score(later)[0].identical(again.model.score(later)[0])
    assert "has no true values" in str(proposal.diff())
    proposal.promote(author="bo")
    # The new version has its parameters, too.
    with pytest.raises(tl.SchemaError, match="became known after the training"):
        twin.models.retrain("unusual", known="2026-02-20")
