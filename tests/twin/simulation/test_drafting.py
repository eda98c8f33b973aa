"""Scenarios that a twin drafts from words."""

import pytest

from twinlab.errors import SchemaError

START = "2026-01-28T06:00"


def test_a_draft_of_a_twin_is_shown_quoted_and_then_run(parcel, calibrated):
    draft = parcel.draft_scenario("close Hamburg tomorrow from 6 to 12 o'clock", start=START, calibrated=calibrated)
    assert [change.words(draft.network) for change in draft.scenario.changes] == [
        "hub HAM: closed 2026-01-29 06:00-12:00"
    ]
    with pytest.raises(SchemaError, match="looked at"):
        draft.run(replications=2)
    assert "nothing has run" in str(draft).casefold()
    assert draft.quote().amounts["kwh"].value > 0
    results = draft.run(replications=2, progress=False)
    assert results.scenarios == ("base", "draft") or list(results.scenarios) == ["base", "draft"]
    assert str(results.about["start"]).startswith("2026-01-28T06:00")


def test_what_a_timetable_cant_do_is_refused_with_what_is_possible(parcel, calibrated):
    draft = parcel.draft_scenario("3 more trucks between Hamburg and Berlin", start=START, calibrated=calibrated)
    assert "more of them change nothing in a timetable" in draft.reason
    assert draft.suggestions
    for text in draft.suggestions:
        assert parcel.draft_scenario(text, start=START, calibrated=calibrated).valid
