"""The source's own status of its values, and what an empty cell means."""

import numpy as np
import pytest
from pydantic import ValidationError

from twinlab.model.check import mapping_findings
from twinlab.model.mapping import Mapping, TagRule

CODES = {"P": "pass", "e": "suspect", "Ice": "missing", "bad": "fail"}
TIMES = [f"2026-01-05 0{hour}:00" for hour in range(7)]


def status(**other):
    return {"column": "cd", "codes": CODES, **other}


def test_codes_beside_a_column_are_flags_and_the_worst_of_several_counts(kit):
    mapping = kit.wide({"t": {"signal": "temperature", "status": status()}})
    cells = {
        "time": TIMES,
        "t": ["1", "2", "3", "4", "Ice", "6", "7"],
        "cd": ["P", "e", None, "P:e", "Ice", "P,bad", "?"],
    }
    found = kit.run(cells, mapping)
    assert found.claims.value.tolist() == [1, 2, 3, 4, 6, 7]
    assert found.claims.flag.tolist() == [1, 3, 1, 3, 4, 3]
    assert (found.missing, found.problem_count) == (1, 0)
    assert list(found.unknown) == ["status '?'"]
    assert "isn't in `codes:` of its `status:`" in found.unknown["status '?'"].message


def test_a_value_without_a_code_has_the_flag_of_blank(kit):
    mapping = kit.wide({"t": {"signal": "temperature", "status": status(blank="suspect")}})
    found = kit.run({"time": TIMES[:2], "t": [1.0, 2.0], "cd": [None, "P"]}, mapping)
    assert found.claims.flag.tolist() == [3, 1]


def test_a_tables_status_is_of_all_its_values_and_a_columns_own_takes_precedence(kit):
    columns = {"t": {"signal": "temperature"}, "e": {"signal": "energy", "status": {**status(), "column": "ecd"}}}
    cells = {"time": TIMES[:1], "t": [1.0], "e": [5.0], "cd": ["e"], "ecd": ["P"]}
    found = kit.run(cells, kit.wide(columns, status=status()))
    flags = {
        found.claims.series[code].signal: flag for code, flag in zip(found.claims.code, found.claims.flag, strict=True)
    }
    assert flags == {"temperature": 3, "energy": 1}
    assert not found.unknown


def test_long_tables_have_a_status_too(kit):
    tags = {"T": {"signal": "temperature"}, "E": {"signal": "energy"}}
    mapping = kit.table(
        tag="tag", value="value", tags=tags, status=status(), time={"column": "time", "zone": "UTC"},
        asset={"type": "cold_room", "id": "A"},
    )  # fmt: skip
    cells = {
        "time": TIMES[:4],
        "tag": ["T", "E", "T", "T"],
        "value": ["1", "2", "Ice", "4"],
        "cd": ["e", "bad", "Ice", None],
    }
    found = kit.run(cells, mapping)
    assert sorted(zip(found.claims.value.tolist(), found.claims.flag.tolist(), strict=True)) == [(1, 3), (2, 4), (4, 1)]
    assert found.problem_count == 0


def test_without_a_status_claims_have_no_flags(kit):
    found = kit.run({"time": TIMES[:1], "t": [1.0]}, kit.wide({"t": {"signal": "temperature"}}))
    assert found.claims.flag is None


def test_a_mapping_without_the_keys_is_written_as_before():
    assert not {"blank", "status"} & TagRule(signal="t").model_dump().keys()
    table = Mapping.model_validate({"source": "s", "tables": [{"table": "t"}]}).model_dump()["tables"][0]
    assert "status" not in table


def test_an_empty_cell_may_be_a_state_or_a_number(kit):
    columns = {
        "d": {"signal": "door", "states": {"auf": "open"}, "blank": "closed"},
        "e": {"signal": "energy", "blank": 0},
    }
    found = kit.run({"time": TIMES[:3], "d": ["auf", None, "auf"], "e": [None, 2.5, None]}, kit.wide(columns))
    by_signal = {
        name: found.claims.value[np.array([found.claims.series[c].signal == name for c in found.claims.code])]
        for name in ("door", "energy")
    }
    assert by_signal["door"].tolist() == [1, 0, 1]
    assert by_signal["energy"].tolist() == [0, 2.5, 0]
    assert found.missing == 0


@pytest.mark.parametrize(
    ("columns", "path", "message"),
    [
        ({"d": {"signal": "door", "blank": "none"}}, ("columns", "d", "blank"), "no state of 'door' called 'none'"),
        ({"t": {"signal": "temperature", "blank": "none"}}, ("columns", "t", "blank"), "expected a number"),
    ],
)
def test_what_blank_means_is_checked_against_the_model(kit, columns, path, message):
    (finding,) = mapping_findings(kit.wide(columns), kit.model)
    assert finding.path[2:] == path
    assert message in finding.message


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            {"stream": {"tags": {"t": {"signal": "t", "asset": "a/b", "status": status()}}}},
            "which a stream doesn't have",
        ),
        ({"tables": [{"table": "t", "status": status()}]}, "the key 'status' is not used"),
        ({"tables": [{"table": "t", "status": {"column": "c", "codes": {"a": "good"}}}]}, "'not_evaluated'"),
    ],
)
def test_a_status_that_nothing_uses_is_refused(rule, message):
    with pytest.raises(ValidationError, match=message):
        Mapping.model_validate({"source": "s", **rule})
