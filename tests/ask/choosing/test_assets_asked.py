"""Questions about assets themselves: years, times from one to another, values that differ, shares of all."""

import pandas as pd
import pytest

from twinlab.ask import NotUnderstoodError, WordPlanner, ask
from twinlab.ask.parsing.years import is_year
from twinlab.ask.plans.plan import AssetCall
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

MODEL = {
    "twin": "boats", "origin": "2026-01-01",
    "asset_types": {
        "boat": {
            "title": "Boat",
            "properties": {
                "built": {"dtype": "integer", "title": "Year of manufacture"}, "seats": {"dtype": "integer"}, "maker": {"dtype": "text"},
                "ordered": {"dtype": "time"}, "promised": {"dtype": "time"}, "delivered": {"dtype": "time"},
            },
        },
        "port": {"title": "Port", "properties": {}},
    },
    "relationships": {"held_at": {"from": "boat", "to": "port", "locates": True}},
    "synonyms": {"port/P2": ["Porto"]},
}  # fmt: skip


@pytest.fixture(scope="module")
def boats() -> FakeTwin:
    days = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-02", "2026-01-04"])
    table = pd.DataFrame(
        {
            "built": [1960, 1990, 1990, 2010], "seats": [2, 4, 4, 10], "maker": ["Ash", "Ash", "Birch", None], "ordered": days,
            "promised": days + pd.Timedelta(days=2), "delivered": days + pd.to_timedelta([1, 2, 3, 4], unit="D"),
        },
        index=pd.Index(["B1", "B2", "B3", "B4"], name="boat"),
    )  # fmt: skip
    links = pd.DataFrame(
        {
            "source": ["B1", "B2", "B2"], "target": ["P1", "P1", "P2"], "valid_from": pd.to_datetime(["2026-01-01"] * 2 + ["2026-01-03"]),
            "valid_until": pd.to_datetime([None, "2026-01-03", None]),
        }
    )  # fmt: skip
    ports = pd.DataFrame({}, index=pd.Index(["P1", "P2"], name="port"))
    return FakeTwin(
        TwinModel.model_validate(MODEL), assets={"boat": table, "port": ports}, relationships={"held_at": links}
    )


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("how many boats were built before 1990", 1),
        ("how many boats were built after 1990", 1),
        ("how many boats were built in 1990", 2),
        ("how many boats were built between 1960 and 1990", 3),
        ("how many boats were built since 1990", 3),
        ("Wie viele boats wurden vor 1990 gebaut?", 1),
        ("how many seats do all boats have", 20),
        ("how many seats does B4 have", 10),
        ("average number of seats of the boats", 5.0),
        ("how many makers are there", 2),
        ("share of boats with more than 3 seats", 75.0),
        ("share of boats delivered late", 50.0),
        ("how many boats were delivered on time", 2),
        ("average time from ordered to delivered of the boats", 2.5 * 1440),
        ("how long did B3 take to be delivered", 3 * 1440),
        ("which maker made the most boats", "Ash"),
        ("at which port is B2", "P2"),
    ],
)
def test_a_question_about_assets_has_its_number(question: str, value: object, boats: FakeTwin) -> None:
    answer = ask(boats, question, now="2026-01-10")

    found = answer.value if not question.startswith("at which") else answer.table.iloc[0]["port"]
    assert found == value, str(answer)


def test_assets_are_counted_for_each_day_of_a_time(boats: FakeTwin) -> None:
    table = ask(boats, "boats ordered per day", now="2026-01-10").table

    assert dict(zip(table["time"].dt.day, table["value"], strict=True)) == {1: 1, 2: 2, 4: 1}


def test_a_synonym_in_the_model_names_an_asset(boats: FakeTwin) -> None:
    assert ask(boats, "which boats are at Porto", now="2026-01-10").table["boat"].tolist() == ["B2"]


def test_an_asset_alone_asks_nothing(boats: FakeTwin) -> None:
    with pytest.raises(NotUnderstoodError) as failed:
        WordPlanner().plan("what did B1 cost", boats, now=pd.Timestamp("2026-01-10"))

    assert failed.value.key in ("about_asset", "words")


def test_a_time_that_nothing_uses_is_not_dropped(boats: FakeTwin) -> None:
    with pytest.raises(NotUnderstoodError):
        WordPlanner().plan("list boats of last week", boats, now=pd.Timestamp("2026-01-10"))


def test_a_year_is_one_by_its_title() -> None:
    assert is_year("made", "Year of manufacture")
    assert not is_year("payload", "Payload")


def test_links_of_the_past_are_those_of_the_whole_time(boats: FakeTwin) -> None:
    now = pd.Timestamp("2026-01-10")
    past = WordPlanner().plan("which boats passed through P1", boats, now=now).call
    present = WordPlanner().plan("which boats are at P1", boats, now=now).call

    assert isinstance(past, AssetCall)
    assert isinstance(present, AssetCall)
    assert past.related is not None
    assert past.related.span is not None
    assert present.related is not None
    assert present.related.span is None
    assert ask(boats, "how many boats passed through P1", now=now).value == 2
    assert ask(boats, "how many boats are at P1", now=now).value == 1
