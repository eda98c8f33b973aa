"""When a question is about."""

import pandas as pd
import pytest

from twinlab.ask.languages import load_language
from twinlab.ask.parsing.instants import When
from twinlab.ask.parsing.items import read_items
from twinlab.ask.parsing.spans import read_when
from twinlab.ask.parsing.vocabulary import vocabulary
from twinlab.testing import FakeTwin

# A Wednesday.
NOW = pd.Timestamp("2026-01-21T15:30")
DATA = When(pd.Timestamp("2025-11-01"), NOW)


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [
        ("today", "2026-01-21", "2026-01-21T15:30"),
        ("yesterday", "2026-01-20", "2026-01-21"),
        ("the day before yesterday", "2026-01-19", "2026-01-20"),
        ("yesterday morning", "2026-01-20T06:00", "2026-01-20T12:00"),
        ("last week", "2026-01-12", "2026-01-19"),
        ("December to January", "2025-12-01", "2026-02-01"),
        ("5 January to Wednesday 7 January", "2026-01-05", "2026-01-08"),
        ("Thursday 8 January", "2026-01-08", "2026-01-09"),
        ("first half of 2025", "2025-01-01", "2025-07-01"),
        ("the fourth quarter", "2025-10-01", "2026-01-01"),
        ("12:00 UTC on 8 January", "2026-01-08T12:00", "2026-01-08T12:01"),
        ("this week", "2026-01-19", "2026-01-21T15:30"),
        ("last month", "2025-12-01", "2026-01-01"),
        ("last year", "2025-01-01", "2026-01-01"),
        ("last weekend", "2026-01-17", "2026-01-19"),
        ("the last 7 days", "2026-01-14T15:30", "2026-01-21T15:30"),
        ("in the past 24 hours", "2026-01-20T15:30", "2026-01-21T15:30"),
        ("3 days ago", "2026-01-18", "2026-01-19"),
        ("on Monday", "2026-01-19", "2026-01-20"),
        ("on 5 January", "2026-01-05", "2026-01-06"),
        ("on January 5th, 2026", "2026-01-05", "2026-01-06"),
        ("on 24 December", "2025-12-24", "2025-12-25"),
        ("in December 2025", "2025-12-01", "2026-01-01"),
        ("in 2025", "2025-01-01", "2026-01-01"),
        ("on 2026-01-05", "2026-01-05", "2026-01-06"),
        ("since Monday", "2026-01-19", "2026-01-21T15:30"),
        ("after 2026-01-05", "2026-01-06", "2026-01-21T15:30"),
        ("until 5 January", "2025-11-01", "2026-01-06"),
        ("before 5 January", "2025-11-01", "2026-01-05"),
        ("from 5 to 9 January", "2026-01-05", "2026-01-10"),
        ("between 2026-01-05 06:00 and 2026-01-05 09:30", "2026-01-05T06:00", "2026-01-05T09:30"),
        ("between 6:00 and 9:00 on 12 January", "2026-01-12T06:00", "2026-01-12T09:00"),
        ("on 12 January between 6 and 9 pm", "2026-01-12T18:00", "2026-01-12T21:00"),
        ("so far", "2025-11-01", "2026-01-21T15:30"),
    ],
)
def test_english(text: str, start: str, stop: str, example: FakeTwin) -> None:
    assert _read(text, "en", example) == [(pd.Timestamp(start), pd.Timestamp(stop))]


@pytest.mark.parametrize(
    ("text", "start", "stop"),
    [
        ("heute", "2026-01-21", "2026-01-21T15:30"),
        ("vorgestern", "2026-01-19", "2026-01-20"),
        ("gestern Vormittag", "2026-01-20T06:00", "2026-01-20T12:00"),
        ("letzte Woche", "2026-01-12", "2026-01-19"),
        ("in den letzten 7 Tagen", "2026-01-14T15:30", "2026-01-21T15:30"),
        ("am 5. Januar", "2026-01-05", "2026-01-06"),
        ("am 5.1.2026", "2026-01-05", "2026-01-06"),
        ("am 5/1/2026", "2026-01-05", "2026-01-06"),
        ("seit Montag", "2026-01-19", "2026-01-21T15:30"),
        ("im Dezember 2025", "2025-12-01", "2026-01-01"),
        ("zwischen 6 und 9 Uhr am 12. Januar", "2026-01-12T06:00", "2026-01-12T09:00"),
    ],
)
def test_german(text: str, start: str, stop: str, example: FakeTwin) -> None:
    assert _read(text, "de", example) == [(pd.Timestamp(start), pd.Timestamp(stop))]


def test_a_date_that_may_be_two_is_not_read(example: FakeTwin) -> None:
    assert _read("on 2/3/2026", "en", example) == []
    assert _read("on 2/13/2026", "en", example) == [(pd.Timestamp("2026-02-13"), pd.Timestamp("2026-02-14"))]


def test_data_that_end_at_midnight_end_with_the_day_before(example: FakeTwin) -> None:
    monday = pd.Timestamp("2026-01-19")

    assert _read("today", "en", example, monday) == [(pd.Timestamp("2026-01-18"), monday)]
    assert _read("last week", "en", example, monday) == [(pd.Timestamp("2026-01-12"), monday)]


def test_two_times_are_two(example: FakeTwin) -> None:
    assert len(_read("yesterday versus last week", "en", example)) == 2


def _read(text: str, code: str, twin: FakeTwin, now: pd.Timestamp = NOW) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    language = load_language(code)
    whens, _ = read_when(read_items(text, vocabulary(twin, language)), now, language, DATA)
    return [(when.start, when.stop) for when in whens]
