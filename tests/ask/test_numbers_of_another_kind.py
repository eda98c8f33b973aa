"""A question gets the kind of number that it asks for, in the unit that it asks for, of all events there are; or a reason."""

from typing import Any

import pandas as pd
import pytest

from twinlab.ask import ask, run_plan
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

MODEL: dict[str, Any] = {
    "twin": "yard",
    "origin": "2026-01-01",
    "asset_types": {
        "van": {
            "title": "Van",
            "signals": {"odometer": {"kind": "counter", "unit": "km", "resolution": 1, "cadence": "1h"}},
        },
        "depot": {"title": "Depot", "label": "name", "properties": {"name": {"dtype": "text"}}},
        "parcel": {
            "title": "Parcel",
            "properties": {"delivered": {"dtype": "time", "title": "Delivered"}, "weight": {"dtype": "number", "unit": "kg"}},
        },
    },
    "event_types": {"trip": {"title": "Trip", "asset": "van", "links": {"origin": "depot"}, "without_start": "cancelled"}},
    "kpis": {
        "cancellations": {"title": "Cancelled trips", "on": "trip", "formula": "share(cancelled)", "unit": "%"},
        "delay_minutes": {"title": "Delay of trips", "on": "trip", "delay": {"of": "start"}},
    },
}  # fmt: skip
LATE = [10, 20, None, 40]


@pytest.fixture(scope="module")
def yard() -> FakeTwin:
    """A twin whose last trip began after the end of its history."""
    planned = pd.to_datetime(["2026-01-01 08:00", "2026-01-01 12:00", "2026-01-02 08:00", "2026-01-03 09:00"])
    start = planned + pd.to_timedelta(pd.Series(LATE), unit="min")
    trips = pd.DataFrame(
        {
            "event_id": ["t1", "t2", "t3", "t4"], "type": "trip", "asset": ["V1", "V2", "V1", "V2"], "start": start,
            "end": start + pd.Timedelta(hours=1), "planned_start": planned, "planned_end": planned + pd.Timedelta(hours=1),
            "origin": ["D1", "D1", "D2", "D2"],
        }
    )  # fmt: skip
    times = pd.date_range("2026-01-01", "2026-01-02 23:00", freq="1h")
    odometer = pd.DataFrame({"V1": range(48), "V2": range(1000, 1048)}, index=times, dtype=float)
    history = odometer.rename_axis("time").rename_axis("asset", axis=1).stack().to_xarray().to_dataset(name="odometer")
    parcels = pd.DataFrame(
        {"delivered": pd.to_datetime(["2026-01-01 10:00", "2026-01-02 00:00", "NaT", "2026-01-09 00:00"]), "weight": [1.0, 2.0, 3.0, 4.0]},
        index=pd.Index(["P1", "P2", "P3", "P4"], name="asset"),
    )  # fmt: skip
    return FakeTwin(
        TwinModel.model_validate(MODEL),
        histories={"van": history},
        events={"trip": trips},
        assets={
            "van": pd.DataFrame(index=pd.Index(["V1", "V2"], name="asset")),
            "depot": pd.DataFrame({"name": ["Köln", "La Cour"]}, index=pd.Index(["D1", "D2"], name="asset")),
            "parcel": parcels,
        },
    )


def test_how_many_of_a_share_is_a_number_of_events(yard: FakeTwin) -> None:
    answer = ask(yard, "how many cancelled trips were there?")

    assert (answer.value, answer.unit) == (1, "")
    # A KPI counts whole days, and the last day isn't over.
    assert ask(yard, "share of cancelled trips").value == pytest.approx(100 / 3)


def test_the_mean_of_a_sum_is_that_of_the_events(yard: FakeTwin) -> None:
    answer = ask(yard, "average delay of trips by origin")

    assert dict(zip(answer.table["origin"], answer.table["value"], strict=True)) == {"D1": 15, "D2": 40}


def test_all_data_are_all_events_that_began(yard: FakeTwin) -> None:
    assert ask(yard, "how many trips were there?").value == 4
    # At a present that was chosen, later rows aren't known.
    assert ask(yard, "how many trips were there?", now="2026-01-02").value == 2


@pytest.mark.parametrize("unit", ["hours", "h"])
def test_an_answer_is_in_the_unit_that_is_asked_for(unit: str, yard: FakeTwin) -> None:
    answer = ask(yard, f"average departure delay of trips in {unit}")

    assert answer.unit == "h"
    assert answer.value == pytest.approx(70 / 3 / 60)
    assert answer.table["value"].tolist() == pytest.approx([70 / 3 / 60])
    assert answer.plan is not None
    assert run_plan(yard, answer.plan).value == answer.value


def test_a_unit_that_does_not_fit_is_refused(yard: FakeTwin) -> None:
    assert "kg" in ask(yard, "average departure delay of trips in kg").reason
    assert ask(yard, "how many trips were there in kg").reason


def test_what_is_delivered_has_been_delivered_by_now(yard: FakeTwin) -> None:
    assert ask(yard, "how many parcels are delivered").value == 2
    assert ask(yard, "which parcels were delivered").table["asset"].tolist() == ["P1", "P2"]
    assert ask(yard, "which parcels have not been delivered yet").table["asset"].tolist() == ["P3", "P4"]
    assert ask(yard, "when was parcel P1 delivered").value == pd.Timestamp("2026-01-01 10:00")


def test_the_mean_of_a_counter_is_refused(yard: FakeTwin) -> None:
    assert "counter" in ask(yard, "average odometer of vans").reason


@pytest.mark.parametrize("name", ["Cologne", "Köln"])
def test_a_town_has_the_name_of_the_language(name: str, yard: FakeTwin) -> None:
    assert ask(yard, f"how many trips from {name}").value == 2


def test_two_words_of_a_name_may_be_written_as_one(yard: FakeTwin) -> None:
    assert ask(yard, "how many trips from LaCour").value == 2
