"""What is offered at a column of an expression."""

import pytest

from twinlab.model import TwinModel
from twinlab.model.expressions import AssetContext, EventContext, completions


@pytest.mark.parametrize(
    ("text", "first", "there"),
    [
        ("", None, {"temperature", "mean(", "not"}),
        ("temp", "temperature", {"temperature"}),
        ("temperature ", None, {">", "=="}),
        ("temperature > 8 ", "degC", {"and", "for at least", "within"}),
        ("temperature > 8 de", "degC", {"degC"}),
        ("temperature > 8 degC an", "and", {"and"}),
        ("door ", "==", {"!="}),
        ("door == ", "closed", {"open", '"stand-by"', '"not started"'}),
        ("door == o", "open", {"open"}),
        ("cooled == ", "true", {"false"}),
        ("mean(temperature) ", None, {"over", ">"}),
        ("mean(temperature) over ", "5 min", {"1h"}),
        ("temperature > 8 for ", "at least", {"at least"}),
        ("temperature > 8 for at least ", "5 min", {"1d"}),
        ("size > ", None, {"size", "upper_limit"}),
        ("mean(temperature) over 15 ", "s", {"min", "h", "d"}),
        ("mean(temperature) over 15 min ", None, {">", "and"}),
        ("door == open within 5 min ", "after", {"after"}),
        ("temperature > 8 for at least 10 ", "s", {"min"}),
    ],
)
def test_what_may_come_next(room: AssetContext, text: str, first: str | None, there: set[str]) -> None:
    found = completions(text, len(text), room)
    assert there <= {one.text for one in found}
    assert first is None or found[0].text == first
    word = text[found[0].start :]
    assert all(one.text.startswith(word) and one.stop == len(text) for one in found)


def test_within_a_unit_only_units_are_offered(model: TwinModel) -> None:
    truck = AssetContext(model, "truck")
    for text in ("speed > 80 km/", "speed > 80km/", "speed > 80 km/h"):
        (found,) = completions(text, len(text), truck)
        assert (found.text, found.kind, found.start) == ("km/h", "unit", text.index("km"))
    assert completions("speed > 80 km/s", 15, truck) == []
    assert {one.text for one in completions("speed > 80 /", 12, truck)} >= {"temperature", "sum("}
    assert [one.text for one in completions("speed > 80 km/h a", 17, truck)] == ["and"]


def test_other_assets_and_columns_of_events(parcel: AssetContext, leg: EventContext) -> None:
    assert [one.text for one in completions("in ", 3, parcel)] == ["truck"]
    names = {one.text for one in completions("", 0, leg)}
    assert {"duration", "distance", "abs("} <= names
    assert "mean(" not in names


def test_what_is_after_the_cursor_does_not_count(room: AssetContext) -> None:
    assert [one.text for one in completions("door == o and temperature > 8", 9, room)] == ["open"]
