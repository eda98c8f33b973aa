"""Several events in one row, and rows without one of them."""

import pytest
from pydantic import ValidationError

from twinlab.model.load import parse_mapping
from twinlab.model.mapping import EventsRule, WhereRule

CELLS = {
    "order": ["17", "18", "19"],
    "leg1_start": ["2026-01-05 08:00", "2026-01-05 09:00", None],
    "leg1_end": ["2026-01-05 09:30", "2026-01-05 10:00", None],
    "leg2_start": ["2026-01-05 11:00", None, "2026-01-05 12:00"],
    "leg2_end": ["2026-01-05 12:30", "n/a", "?"],
    "state": ["done", "done", "cancelled"],
}


def leg(number, **other):
    return {
        "type": "trip",
        "key": ["order"],
        "part": number,
        "start": {"column": f"leg{number}_start", "zone": "UTC"},
        "end": {"column": f"leg{number}_end", "zone": "UTC"},
        **other,
    }


def test_legs_side_by_side_are_events_of_their_own_and_an_absent_leg_is_no_error(kit):
    mapping = kit.table(events=[leg(n, where=[f"leg{n}_start"]) for n in (1, 2)], ignore=["state"])
    found = kit.run(CELLS, mapping)
    first, second = found.events
    assert first.table["event_id"].to_pylist() == ["17/1", "18/1"]
    assert second.table["event_id"].to_pylist() == ["17/2", "19/2"]
    assert second.ordinal.tolist() == [0, 2]
    assert [str(when) for when in second.table["start"].to_pylist()] == ["2026-01-05 11:00:00", "2026-01-05 12:00:00"]
    # Only the cell of a row that has the leg is a problem, with the number of its row.
    assert [(problem.row, problem.text) for problem in found.problems] == [(2, "?")]
    assert not found.unknown


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ([{"column": "state", "values": ["done"]}], ["17", "18"]),
        ([{"column": "state", "other_than": ["done"]}], ["19"]),
        ([{"column": "leg2_end", "missing": ["n/a", "/^[?]$/"]}], ["17"]),
        (["leg1_start", {"column": "state", "values": ["cancelled"]}], []),
    ],
)
def test_conditions_choose_the_rows_that_have_an_event(kit, where, ids):
    events = [{"type": "trip", "key": ["order"], "start": {"column": "leg1_start", "zone": "UTC"}, "where": where}]
    found = kit.run(CELLS, kit.table(events=events))
    assert found.events[0].table["event_id"].to_pylist() == ids


def test_a_condition_on_a_column_that_is_not_there_is_reported(kit):
    found = kit.run(CELLS, kit.table(events=[leg(1, where=["leg3_start"])]))
    assert found.events[0].table.num_rows == 0
    assert "did you mean 'leg2_start'" in found.unknown["column 'leg3_start'"].message


def test_a_condition_is_one_of_two():
    with pytest.raises(ValidationError, match="expected values or other_than for the column 'state'"):
        WhereRule(column="state", values=["a"], other_than=["b"])


def test_the_path_of_a_wrong_condition_is_named():
    text = "{source: s, tables: [{table: t, events: [{type: trip, key: [a], start: {column: t}, where: [{column: c, value: d}]}]}]}"
    with pytest.raises(Exception, match=r"tables\[0\]\.events\[0\]\.where\[0\]"):
        parse_mapping(text)


def test_a_mapping_without_the_keys_is_written_as_before():
    rule = EventsRule.model_validate({"type": "trip", "key": ["a"], "start": {"column": "t", "zone": "UTC"}})
    assert not {"where", "part"} & rule.model_dump().keys()
