"""Predicted curves against values that came."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.control.proposals.comparing.comparison import Comparison
from twinlab.control.proposals.comparing.curves import EffectComparison, compare_curve, worst_match

MINUTES = (0.0, 10.0, 20.0, 30.0)
FLAT = (4.0,) * 4


def compared(
    came: tuple[list[float], list[float]], *, complete: bool = True, tolerance: float = 0.0
) -> EffectComparison:
    return compare_curve(
        "room", "temperature", "degC", predicted=(MINUTES, FLAT), band=((3.0,) * 4, (5.0,) * 4), came=came, complete=complete,
        tolerance=tolerance,
    )  # fmt: skip


def test_values_within_the_band_came_as_predicted() -> None:
    found = compared(([5.0, 15.0, 25.0], [4.0, 4.5, 4.7]))
    assert (found.match, found.came) == ("as predicted", (4.0, 4.5, 4.7))
    assert "3 of 3 values" in found.reason
    assert "+0.4 degC" in found.reason


def test_a_fifth_outside_of_the_band_is_too_much() -> None:
    minutes = [float(one) for one in range(10)]
    assert compared((minutes, [4.0] * 8 + [9.0] * 2)).match == "as predicted"
    assert compared((minutes, [4.0] * 7 + [9.0] * 3)).match == "otherwise"


def test_few_values_show_nothing() -> None:
    few = ([5.0, 6.0], [4.0, 4.0])
    assert compared(few, complete=False).match == "not yet"
    assert compared(few).match == "can't tell"
    assert compared(([5.0, 6.0, 7.0], [4.0, float("nan"), 4.0])).match == "can't tell"


def test_what_comes_before_and_after_the_prediction_is_left_out() -> None:
    found = compared(([-5.0, 5.0, 15.0, 25.0, 31.0], [90.0, 4.0, 4.0, 4.0, 90.0]))
    assert found.minutes == (5.0, 15.0, 25.0)
    assert found.match == "as predicted"


@given(st.floats(-50, 50, allow_nan=False), st.floats(0, 5))
def test_the_tolerance_widens_the_band_by_as_much(value: float, tolerance: float) -> None:
    found = compared(([5.0, 15.0, 25.0], [value] * 3), tolerance=tolerance)
    inside = 3 - tolerance - 1e-9 <= value <= 5 + tolerance + 1e-9
    assert found.match == ("as predicted" if inside else "otherwise")


@pytest.mark.parametrize(
    ("found", "match"),
    [
        ([], "can't tell"),
        (["as predicted", "can't tell"], "as predicted"),
        (["as predicted", "not yet", "otherwise"], "otherwise"),
    ],
)
def test_a_plan_is_as_its_worst_effect(found: list[str], match: str) -> None:
    assert worst_match(found) == match  # type: ignore[arg-type]


def test_a_comparison_reads_back_equal() -> None:
    effects = (
        compared(([5.0, 15.0, 25.0], [4.0, 4.5, 4.7])),
        EffectComparison("stopping", "way", "m", "can't tell", "no curve"),
    )
    made = Comparison("a plan", "2026-04-02T19:02:00Z", "2026-04-02T19:02:00Z", complete=True, effects=effects)
    assert Comparison.from_dict(json.loads(json.dumps(made.to_dict())), [None]) == made
    assert made.match == "as predicted"
