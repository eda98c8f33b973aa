"""Two assets or two times are compared, against pandas on the same data; a KPI with its target."""

import pandas as pd
import pytest

from twinlab.ask import NotUnderstoodError, WordPlanner, ask
from twinlab.ask.plans.words import plan_words
from twinlab.ask.present import present
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin
from twinlab.testing.example_model import EXAMPLE_MODEL


def _mean(twin: FakeTwin, station: str, start: str = "2026-01-12", stop: str = "2026-01-19") -> float:
    answer = ask(
        twin, f"average temperature of {station} from {start} to {pd.Timestamp(stop) - pd.Timedelta(days=1):%Y-%m-%d}"
    )
    assert isinstance(answer.value, float)
    return answer.value


@pytest.mark.parametrize("word", ["warmer", "colder"])
def test_of_two_assets_the_one_with_more_is_named(word: str, example: FakeTwin) -> None:
    means = {one: _mean(example, one) for one in ("NORTH", "WEST")}
    best = (max if word == "warmer" else min)(means, key=means.__getitem__)

    assert ask(example, f"was it {word} at station NORTH or WEST last week").value == best
    whether = ask(example, f"was station NORTH {word} than WEST last week")
    assert whether.value is (best == "NORTH")
    assert whether.sentence.startswith("Yes" if best == "NORTH" else "No")
    assert whether.table["value"].tolist() == pytest.approx(list(means.values()))


def test_a_difference_has_the_sign_that_is_asked_for(example: FakeTwin) -> None:
    north, west = (_mean(example, one) for one in ("NORTH", "WEST"))

    warmer = ask(example, "how much warmer was station NORTH than WEST last week")
    colder = ask(example, "how much colder was station NORTH than WEST last week")
    neither = ask(example, "difference of the temperature of station NORTH and WEST last week")

    assert [one.value for one in (warmer, colder, neither)] == pytest.approx(
        [north - west, west - north, abs(north - west)]
    )
    assert warmer.unit == "degC"


def test_two_times_are_compared_by_their_numbers(example: FakeTwin) -> None:
    trips = example.events("trip")
    count = [
        int(trips["planned_start"].dt.floor("D").eq(pd.Timestamp(day)).sum()) for day in ("2026-01-14", "2026-01-15")
    ]

    more = ask(example, "were there more trips on 14 January than on 15 January")
    by = ask(example, "how many more trips were there on 14 January than on 15 January")

    assert more.value is (count[0] > count[1])
    assert by.value == count[0] - count[1]


def test_the_table_has_both_groups_of_events(example: FakeTwin) -> None:
    trips = example.events("trip")
    sizes = trips["origin"].value_counts()

    answer = ask(example, "did NORTH or WEST have more trips")

    assert answer.value == max(("NORTH", "WEST"), key=lambda one: sizes[one])
    assert dict(zip(answer.table["origin"], answer.table["value"], strict=True)) == {
        one: sizes[one] for one in ("NORTH", "WEST")
    }


@pytest.mark.parametrize(("target", "met"), [(">= 1 %", True), (">= 99.99 %", False)])
def test_a_target_is_met_or_not(target: str, met: bool, example: FakeTwin) -> None:
    kpi = {
        "title": "Time in the cold",
        "on": "cold_room",
        "formula": "time_share(temperature < 5 degC)",
        "unit": "%",
        "target": target,
    }
    model = TwinModel.model_validate({**EXAMPLE_MODEL, "kpis": {"cold": kpi}, "rules": {}})
    rooms = example.history("cold_room").compute()
    twin = FakeTwin(model, histories={"cold_room": rooms}, assets={"cold_room": example.assets("cold_room")})

    answer = ask(twin, "was the target of time in the cold met last week")

    assert answer.value is met, str(answer)
    assert target in answer.sentence
    assert answer.plan is not None
    assert ("Compared with", "the target") in plan_words(answer.plan, twin.model)


def test_a_comparison_with_nothing_is_not_understood(example: FakeTwin) -> None:
    with pytest.raises(NotUnderstoodError):
        WordPlanner().plan("was it warmer at station NORTH last week", example, now=present(example))
