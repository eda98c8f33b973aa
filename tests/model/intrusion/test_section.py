"""The section `security` of twin.yaml says what is wrong with it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from twinlab.model.intrusion.section import SecurityRule


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"hours": ["6", "20:00"]}, "two different times"),
        ({"hours": ["06:00", "06:00"]}, "two different times"),
        ({"hours": ["06:00", "25:00"]}, "two different times"),
        ({"zone": "Mars/Olympus"}, "expected a zone"),
        ({"addresses": ["10.0.0.300"]}, "expected ranges"),
        ({"sensors": ["temperature"]}, "cold_room.temperature"),
        ({"factor": 0.5}, "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SecurityRule.model_validate(given)


def test_hours_are_minutes_of_the_day() -> None:
    assert SecurityRule(hours=("22:30", "06:00")).minutes == (1350, 360)
