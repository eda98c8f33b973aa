"""Which call a question is."""

from typing import Any

import pytest

from twinlab.ask import NotUnderstoodError, WordPlanner
from twinlab.ask.planner import data_span
from twinlab.ask.present import present
from twinlab.testing import FakeTwin

WEEK = {"start": "2026-01-12T00:00:00", "stop": "2026-01-19T00:00:00"}
ALL = {"start": "2026-01-01T00:00:00", "stop": "2026-01-21T00:00:00"}
YESTERDAY = {"start": "2026-01-19T00:00:00", "stop": "2026-01-20T00:00:00"}

QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("which cold rooms were too warm last week and for how long?",
     {"do": "rule", "rule": "too_warm", "span": WEEK, "measure": "assets"}),
    ("Wie viele Kühlräume waren letzte Woche zu warm?", {"do": "rule", "rule": "too_warm", "span": WEEK, "measure": "assets"}),
    ("How many cold rooms were above 8 °C last week?",
     {"do": "find", "on": "cold_room", "condition": "temperature > 8 degC", "span": WEEK, "measure": "assets"}),
    ("How long was the door of R1 open yesterday?",
     {"do": "find", "on": "cold_room", "condition": "door == open", "assets": ["R1"], "span": YESTERDAY, "measure": "duration"}),
    ("Wie lange war die Tür von R1 gestern offen?",
     {"do": "find", "on": "cold_room", "condition": "door == open", "assets": ["R1"], "span": YESTERDAY, "measure": "duration"}),
    ("how often was R1 warmer than 5 degrees for longer than 30 minutes",
     {"do": "find", "on": "cold_room", "condition": "temperature > 5", "lasting": "30min", "assets": ["R1"], "span": ALL, "measure": "count"}),
    ("when were cold rooms between 2 and 8 °C yesterday",
     {"do": "find", "on": "cold_room", "condition": "temperature >= 2 degC and temperature <= 8 degC", "span": YESTERDAY}),
    ("were cold rooms warmer than the warmest allowed",
     {"do": "find", "on": "cold_room", "condition": "temperature > upper_limit", "span": ALL}),
    ("average temperature of stations last week",
     {"do": "summary", "on": "station", "signal": "temperature", "statistic": "mean", "span": WEEK}),
    ("which station was the windiest yesterday",
     {"do": "summary", "on": "station", "signal": "wind_speed", "statistic": "max", "span": YESTERDAY, "order": "highest", "top": 1}),
    ("temperature of R1 between 6 and 9 am on 8 January",
     {"do": "summary", "on": "cold_room", "signal": "temperature", "statistic": "range", "assets": ["R1"],
      "span": {"start": "2026-01-08T06:00:00", "stop": "2026-01-08T09:00:00"}}),
    ("How many trips were cancelled last week?",
     {"do": "events", "on": "trip", "measure": "count", "condition": "cancelled", "span": WEEK}),
    ("how many deliveries were late",
     {"do": "events", "on": "delivery", "measure": "count", "condition": "end_delay > 20 min", "span": ALL}),
    ("how many trips were more than 2 hours late",
     {"do": "events", "on": "trip", "measure": "count", "condition": "end_delay > 2 h", "span": ALL}),
    ("how many trips departed yesterday", {"do": "events", "on": "trip", "measure": "count", "at": "start", "span": YESTERDAY}),
    ("average distance of trips from NORTH",
     {"do": "events", "on": "trip", "measure": "mean", "column": "distance", "links": {"origin": "NORTH"}, "span": ALL}),
    ("the 3 longest trips", {"do": "events", "on": "trip", "measure": "list", "column": "duration", "order": "highest", "top": 3, "span": ALL}),
    ("How many vans are there?", {"do": "assets", "on": "van", "measure": "count", "at": "2026-01-21T00:00:00"}),
    ("how many parcels go to NORTH", {"do": "assets", "on": "parcel", "measure": "count", "at": "2026-01-21T00:00:00",
                                      "related": {"relationship": "stored_at", "target": "NORTH"}}),
    ("heaviest parcel", {"do": "assets", "on": "parcel", "measure": "list", "column": "weight", "order": "highest",
                         "at": "2026-01-21T00:00:00"}),
    ("which doors are open", {"do": "find", "on": "cold_room", "condition": "door == open", "measure": "assets",
                              "span": {"start": "2026-01-20T23:55:00", "stop": "2026-01-21T00:00:00"}}),
    ("top 2 destinations by number of trips", {"do": "events", "on": "trip", "measure": "count", "by": "destination", "order": "highest",
                                               "top": 2, "span": ALL}),
    ("trips with a distance above 200 km", {"do": "events", "on": "trip", "measure": "count", "condition": "distance > 200 km", "span": ALL}),
    ("trips longer than 2 hours", {"do": "events", "on": "trip", "measure": "count", "condition": "duration > 2 h", "span": ALL}),
    ("trips lasting at least 2 hours", {"do": "events", "on": "trip", "measure": "count", "condition": "duration >= 2 h", "span": ALL}),
    ("which trip had the highest distance",
     {"do": "events", "on": "trip", "measure": "list", "column": "distance", "order": "highest", "top": 1, "span": ALL}),
    ("delays of trips", {"do": "events", "on": "trip", "measure": "mean", "column": "end_delay", "span": ALL}),
    ("how many parcels weigh more than 2000 g", {"do": "assets", "on": "parcel", "measure": "count", "at": "2026-01-21T00:00:00",
                                                 "limits": [{"column": "weight", "sign": ">", "number": 2.0}]}),
    ("which parcels are heavier than 2 kg", {"do": "assets", "on": "parcel", "measure": "list", "at": "2026-01-21T00:00:00",
                                             "limits": [{"column": "weight", "sign": ">", "number": 2.0}]}),
    ("parcels by station", {"do": "assets", "on": "parcel", "measure": "count", "by": "stored_at", "at": "2026-01-21T00:00:00"}),
    ("how often was the door open for each cold room",
     {"do": "find", "on": "cold_room", "condition": "door == open", "span": ALL, "measure": "assets"}),
    ("which cold room was open the most",
     {"do": "find", "on": "cold_room", "condition": "door == open", "span": ALL, "measure": "assets", "top": 1}),
    ("longest time the door of R1 was open",
     {"do": "find", "on": "cold_room", "condition": "door == open", "assets": ["R1"], "span": ALL, "top": 1}),
    ("how many cold rooms were below freezing yesterday",
     {"do": "find", "on": "cold_room", "condition": "temperature < 0 degC", "span": YESTERDAY, "measure": "assets"}),
    ("how often did R1 go above 5 degrees for more than half an hour",
     {"do": "find", "on": "cold_room", "condition": "temperature > 5", "lasting": "0.5h", "assets": ["R1"], "span": ALL, "measure": "count"}),
    ("compare the average temperature of R1 and R2 yesterday",
     {"do": "summary", "on": "cold_room", "signal": "temperature", "statistic": "mean", "assets": ["R1", "R2"], "span": YESTERDAY}),
    ("which of the three stations was the warmest yesterday",
     {"do": "summary", "on": "station", "signal": "temperature", "statistic": "max", "order": "highest", "top": 1, "span": YESTERDAY}),
    ("Durchschnittstemperatur von NORTH gestern",
     {"do": "summary", "on": "station", "signal": "temperature", "statistic": "mean", "assets": ["NORTH"], "span": YESTERDAY}),
    ("highest temperature of NORTH per day",
     {"do": "summary", "on": "station", "signal": "temperature", "statistic": "max", "assets": ["NORTH"], "per": "day", "span": ALL}),
    ("which week was the coldest in NORTH",
     {"do": "summary", "on": "station", "signal": "temperature", "statistic": "mean", "assets": ["NORTH"], "per": "week", "order": "lowest",
      "top": 1, "span": ALL}),
    ("Wie viele Fahrten gab es pro Tag?", {"do": "events", "on": "trip", "measure": "count", "per": "day", "span": ALL}),
    ("number of deliveries of V1 and V2", {"do": "events", "on": "delivery", "measure": "count", "by": "van", "groups": ["V1", "V2"],
                                                "span": ALL}),
    ("median weight of parcels", {"do": "assets", "on": "parcel", "measure": "median", "column": "weight", "at": "2026-01-21T00:00:00"}),
    ("hours with the door of R1 open yesterday",
     {"do": "find", "on": "cold_room", "condition": "door == open", "assets": ["R1"], "span": YESTERDAY, "measure": "duration"}),
    ("What needs attention?", {"do": "attention", "at": "2026-01-21T00:00:00"}),
]  # fmt: skip


@pytest.mark.parametrize(("question", "call"), QUESTIONS, ids=[one[0] for one in QUESTIONS])
def test_a_question_is_one_call(question: str, call: dict[str, Any], example: FakeTwin) -> None:
    plan = WordPlanner().plan(question, example, now=present(example))

    assert plan.call.model_dump(mode="json", exclude_defaults=True) | {"do": plan.call.do} == call


def test_two_times_are_compared(example: FakeTwin) -> None:
    plan = WordPlanner().plan(
        "was the temperature of stations higher last week than the week before", example, now=present(example)
    )

    assert plan.versus is not None
    assert (plan.versus.start, plan.versus.stop) == ("2026-01-05T00:00:00", "2026-01-12T00:00:00")


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("what is the capital of France", "no_subject"),
        ("how many yellow vans are there", "words"),
        ("average temperature", "which_type"),
        ("total temperature of stations", "no_sum"),
        ("which vans were too fast", "no_limit"),
        ("will R1 be too warm", "will"),
        ("why was R1 too warm yesterday", "why"),
        ("what percentage of trips", "no_condition"),
        ("trips by origin per day", "by_and_per"),
        ("parcels per day", "no_per"),
        ("trips on Monday and on Tuesday", "two_times"),
        ("where is it", "which_asset"),
        ("is the door of R1 warmer", "words"),
    ],
)
def test_what_is_not_understood_says_why(question: str, key: str, example: FakeTwin) -> None:
    with pytest.raises(NotUnderstoodError) as failed:
        WordPlanner().plan(question, example, now=present(example))

    assert failed.value.key == key
    assert failed.value.suggestions


def test_every_word_has_to_be_a_part_of_the_plan(example: FakeTwin) -> None:
    with pytest.raises(NotUnderstoodError) as failed:
        WordPlanner().plan("how many trips were cancelled because of snow last week", example, now=present(example))

    assert "snow" in failed.value.values["words"]


def test_the_span_of_the_data_begins_with_the_first_cell(example: FakeTwin) -> None:
    assert str(data_span(example, present(example)).start) == "2026-01-01 00:00:00"
