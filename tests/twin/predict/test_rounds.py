"""Predictions that twin.yaml states: made when they are due, with a model that is fitted when it is too old; a stopped source makes nothing late."""

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from tests.predict.delay.test_delay import START, trips
from twinlab.cli import main
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model import parse_model
from twinlab.predict import ByEventTime

MODEL = """\
twin: buses
origin: 2025-01-01
asset_types: {bus: {}, stop: {}}
event_types:
  trip: {asset: bus, links: {origin: stop, destination: stop}}
predictions:
  trips: {delay: trip, every: 30min, refit: 2d, training: 28d}
"""
MAPPING = """\
source: plan
files: ["trips*.csv"]
tables:
  - table: "trips*"
    events:
      - type: trip
        key: [id]
        asset: {type: bus, column: bus}
        planned_start: {column: planned_start, zone: UTC}
        planned_end: {column: planned_end, zone: UTC}
        start: {column: start, zone: UTC}
        end: {column: end, zone: UTC}
        links: {origin: origin, destination: destination}
"""
RULE = ByEventTime()
DAYS = 40


def make(folder, *, until=None):
    """A twin of two buses; trips end at ``until``, by default at their own dates."""
    folder.mkdir(parents=True, exist_ok=True)
    table = trips(DAYS)
    shift = np.timedelta64(0, "ns") if until is None else until - table["end"].max().to_datetime64()
    columns = ("start", "end", "planned_start", "planned_end")
    table = table.assign(**{name: table[name] + shift for name in columns})
    # The last ones have been planned, and not more.
    later = table.tail(6).assign(**{name: table[name].tail(6) + np.timedelta64(1, "D") for name in columns})
    table = pd.concat([table, later.assign(event_id="next/" + later["event_id"], start=pd.NaT, end=pd.NaT)])
    table = table.rename(columns={"event_id": "id", "asset": "bus"}).drop(columns="type")
    table.to_csv(folder / "trips.csv", index=False, date_format="%Y-%m-%dT%H:%M:%S")
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "plan.yaml").write_text(MAPPING)
    twin = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "plan.yaml")
    twin.ingest(folder / "trips.csv")
    return twin


@pytest.fixture
def twin(tmp_path, need):
    need("lightgbm")
    return make(tmp_path)


def test_a_rule_that_does_not_fit_is_refused_with_its_path():
    for old, new, said in (
        (
            "delay: trip",
            "delay: tripp",
            "predictions.trips.delay: there is no event type 'tripp'; did you mean 'trip'?",
        ),
        ("30min", "30s", "predictions.trips.every: expected one minute at least, got '30s'"),
        ("2d", "10min", "predictions.trips.refit: expected every=30min at least, got '10min'"),
    ):
        with pytest.raises((SchemaError, UnknownTermError), match=said.replace("?", r"\?")):
            parse_model(MODEL.replace(old, new))


def test_predictions_are_made_when_they_are_due_and_the_model_is_fitted_again_when_it_is_old(twin):
    end = twin.events("trip")["end"].max().to_datetime64()
    first = end - np.timedelta64(3 * 24 + 4, "h")
    done = twin.run_predictions(now=first, knowledge=RULE)
    assert done.fitted == ("trips",) and not done.failed
    assert {"trips", "trips, late"} <= set(twin.predictions.names)
    assert done.stored["trips"] <= first
    assert twin.predictions.last_issue("trips") == done.stored["trips"]
    assert "trips: predicted at" in str(done) and "with a new fit" in str(done)
    version = twin.models.current("trips")
    assert twin.models.record("trips").owner == "twin.yaml"

    soon = twin.run_predictions(now=first + np.timedelta64(10, "m"), knowledge=RULE)
    assert soon.waiting == ("trips",) and str(soon) == "trips: nothing due"
    later = twin.run_predictions(now=first + np.timedelta64(2, "h"), knowledge=RULE)
    assert later.stored["trips"] > done.stored["trips"] and not later.fitted
    # At night nothing is planned within 12 h.
    night = twin.run_predictions(now=first + np.timedelta64(8, "h"), again=True, knowledge=RULE)
    assert night.waiting == ("trips",) and not night.stored
    again = twin.run_predictions(now=end - np.timedelta64(4, "h"), knowledge=RULE)
    assert again.fitted == ("trips",)
    assert twin.models.current("trips") != version
    decided = twin.models.decisions("trips")
    assert decided["what"].tolist() == ["added", "proposed", "promoted"]
    assert decided["reason"].iloc[-1] == "predictions.trips.refit: 2d"
    assert twin.models.rollback("trips") == version
    assert twin.predictions.score("trips", by=())["cases"].sum() > 0
    with pytest.raises(UnknownTermError, match="did you mean 'trips'"):
        twin.run_predictions("trip")


def test_a_source_that_has_stopped_is_said_and_makes_nothing_late(twin):
    done = twin.run_predictions(now=START + np.timedelta64(DAYS + 6, "D"))
    assert "its source may have stopped" in done.failed["trips"]
    assert twin.predictions.names == []
    assert twin.predictions.rounds()["trips"]["error"] == done.failed["trips"]
    none = twin.run_predictions(now=START + np.timedelta64(DAYS + 30, "D"))
    assert "no event of 'trip' began in the 7 days before" in none.failed["trips"]


def test_the_command_predicts_what_is_known_now_once(tmp_path, need, capsys):
    need("lightgbm")
    twin = make(tmp_path, until=np.datetime64("now", "ns") - np.timedelta64(30, "m"))
    assert main(["predict", str(twin.folder)]) == 0
    assert "with a new fit" in capsys.readouterr().out
    assert main(["predict", str(twin.folder), "--background"]) == 0
    assert capsys.readouterr().out == ""
    found = twin.predictions.open("trips")
    assert found.sizes["case"] > 0
    # By ingest time, since the files have just come.
    assert np.datetime64("now") - found["issue_time"].values[0] < np.timedelta64(5, "m")
    assert main(["predict", str(twin.folder), "--only", "nothing"]) != 0
