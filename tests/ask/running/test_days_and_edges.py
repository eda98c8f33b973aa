"""On how many days, the first and the last time, events that are under way, weekdays and means of windows, against pandas."""

import pandas as pd
import pytest

from twinlab.ask import ask, run_plan
from twinlab.ask.plans.plan import EventCall, Plan, RuleCall, Span
from twinlab.testing import FakeTwin

SPAN = Span(start="2026-01-01T00:00:00", stop="2026-01-21T00:00:00")


def test_days_are_those_on_which_a_condition_was_true(example: FakeTwin) -> None:
    cells = example.history("cold_room", signals=["temperature"], assets=["R1"]).compute()
    warm = cells["temperature"].isel(asset=0).to_series() > 5
    days = sorted(set(warm.index[warm].floor("D")))

    answer = ask(example, "on how many days was R1 warmer than 5 degrees")
    which = ask(example, "on which days was R1 warmer than 5 degrees")

    assert abs(int(answer.value or 0) - len(days)) <= 1
    assert which.table["time"].tolist() == answer.table["time"].tolist()
    assert set(which.table["time"]) & set(days)


@pytest.mark.parametrize(("word", "place"), [("first", 0), ("last", -1)])
def test_the_first_and_the_last_time_are_named(word: str, place: int, example: FakeTwin) -> None:
    every = ask(example, "when was R1 warmer than 5 degrees").table["start"].sort_values()

    assert ask(example, f"when was R1 {word} warmer than 5 degrees").value == every.iloc[place]


def test_the_first_event_is_that_which_began_first(example: FakeTwin) -> None:
    trips = example.events("trip").dropna(subset=["start"]).sort_values("start")

    assert ask(example, "when did the first trip leave").value == trips["start"].iloc[0]
    assert ask(example, "which was the last trip").table["event_id"].iloc[0] == trips["event_id"].iloc[-1]


def test_events_under_way_have_begun_and_not_ended(example: FakeTwin) -> None:
    trips, at = example.events("trip"), pd.Timestamp("2026-01-14T12:00")
    inside = trips[(trips["start"] < at + pd.Timedelta(minutes=1)) & ~(trips["end"] <= at)]

    answer = ask(example, "how many trips were under way on 14 January at 12:00")

    assert answer.value == len(inside)


def test_each_weekday_has_its_number(example: FakeTwin) -> None:
    sizes = example.events("trip")["planned_start"].dt.day_name().value_counts()

    answer = ask(example, "trips by weekday")
    best = ask(example, "which weekday has the most trips")

    assert dict(zip(answer.table["time"], answer.table["value"], strict=True)) == sizes.to_dict()
    assert answer.table["time"].iloc[0] == "Monday"
    assert sizes[best.value] == sizes.max()


def test_a_mean_number_of_a_day_counts_days_without_any(example: FakeTwin) -> None:
    trips = example.events("trip")["planned_start"]
    count = int(trips.between(pd.Timestamp("2026-01-12"), pd.Timestamp("2026-01-19"), inclusive="left").sum())

    assert ask(example, "average number of trips per day last week").value == pytest.approx(count / 7)


def test_a_rule_of_events_is_run(example: FakeTwin) -> None:
    name = next(name for name, rule in example.model.rules.items() if rule.on in example.model.event_types)

    answer = run_plan(example, Plan(question="late", call=RuleCall(rule=name, span=SPAN)))

    assert answer.answered or "never" in answer.sentence


def test_each_event_of_a_list_has_what_explains_it(example: FakeTwin) -> None:
    answer = run_plan(example, Plan(question="trips", call=EventCall(on="trip", measure="list", span=SPAN)))

    assert answer.evidence is not None
    assert list(answer.evidence.each) == [str(one) for one in answer.table["event_id"].head(12)]
    assert all(one["what"] == f"trip/{name}" for name, one in answer.evidence.each.items())
