"""Patterns of texts that mean "no value", and texts among numbers as a property."""

import pytest
from pydantic import ValidationError

from twinlab.model.check import mapping_findings
from twinlab.model.mapping import ColumnRule, TagRule, TimeRule

NOTES = ["12.5", "See ASN-93 (ID#:1281)", "Captured Separately", None, "7"]


def trips(kit, properties):
    events = [{"type": "trip", "key": ["id"], "start": {"column": "t", "zone": "UTC"}, "properties": properties}]
    mapping = kit.table(events=events)
    cells = {"id": list("abcde"), "t": ["2026-01-05 00:00"] * 5, "km": NOTES}
    return kit.run(cells, mapping), mapping


def test_a_pattern_of_missing_texts_leaves_numbers_and_reports_the_rest(kit):
    found, _ = trips(kit, {"distance": {"column": "km", "unit": "km", "missing": ["/^See ASN-/"]}})
    assert found.events[0].table["distance"].to_pylist() == [12.5, None, None, None, 7.0]
    assert [problem.text for problem in found.problems] == ["Captured Separately"]
    assert found.missing == 2


def test_texts_among_numbers_are_a_property_of_their_own(kit):
    both = {
        "distance": {"column": "km", "unit": "km", "missing": ["/[A-Za-z]/"]},
        "driver": {"column": "km", "texts_only": True},
    }
    found, _ = trips(kit, both)
    assert found.events[0].table["driver"].to_pylist() == [None, NOTES[1], NOTES[2], None, None]
    assert found.events[0].table["distance"].to_pylist() == [12.5, None, None, None, 7.0]
    assert (found.problem_count, found.missing) == (0, 3)


def test_patterns_apply_to_signals_states_and_times(kit):
    columns = {
        "t": {"signal": "temperature", "missing": ["/^No /", -99]},
        "d": {"signal": "door", "missing": ["/^[?]+$/"]},
    }
    cells = {
        "time": ["2026-01-05 00:00", "2026-01-05 00:01", "not yet (2)"],
        "t": ["4", "No sensor", "-99"],
        "d": ["??", "open", "open"],
    }
    found = kit.run(cells, kit.wide(columns, time={"missing": ["/^not yet/"]}))
    assert sorted(found.claims.value.tolist()) == [1, 4]
    assert found.problem_count == 1
    assert found.problems[0].reason == "the row has values but no time"


def test_texts_only_needs_a_property_of_text(kit):
    _, mapping = trips(kit, {"distance": {"column": "km", "texts_only": True}})
    (finding,) = mapping_findings(mapping, kit.model)
    assert finding.path[-2:] == ("distance", "texts_only")
    assert "dtype: text" in finding.message


@pytest.mark.parametrize("rule", [TagRule, ColumnRule, TimeRule])
def test_a_pattern_that_is_no_regular_expression_is_refused(rule):
    with pytest.raises(ValidationError, match="is no regular expression"):
        rule.model_validate(
            {"signal": "t", "column": "c", "missing": ["/(/"]}
            if rule is TagRule
            else {"column": "c", "missing": ["/(/"]}
        )


def test_a_mapping_without_the_key_is_written_as_before():
    assert "texts_only" not in ColumnRule(column="c").model_dump()
