"""What a `%%find` cell asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.jupyter import parse_find_cell
from twinlab.model.yamltext import write_yaml


def test_text_is_a_condition_over_lines_without_comments() -> None:
    found = parse_find_cell("# warm\ntemperature > 8 degC\n  and door == open\n", on="cold_room", gap="2min")
    assert (found.when, found.on, found.gap, found.lasting) == (
        "temperature > 8 degC and door == open", "cold_room", "2min", None,
    )  # fmt: skip


def test_yaml_states_the_parameters_of_find() -> None:
    found = parse_find_cell("when: temperature > 8 degC\non: cold_room\nstart: 2026-03-01\nassets: [3, R4]")
    # Not the boolean that YAML 1.1 makes of on; ids are texts.
    assert (found.on, found.start, found.assets) == ("cold_room", "2026-03-01", ("3", "R4"))


@pytest.mark.parametrize(
    ("cell", "line", "message"),
    [
        ("", {}, "expected a condition"),
        ("# only a comment", {}, "expected a condition"),
        ("on: cold_room", {}, "expected a condition"),
        ("when: x > 1\nlastin: 3min", {}, "no field 'lastin'.*lasting"),
        ("when: x > 1\non: a", {"on": "b"}, "'on' is in the first line and in the cell"),
        ("when: x > 1\nlasting: soon", {}, "lasting: expected a duration"),
        ("x > 1", {"lasting": "soon"}, "lasting: expected a duration"),
        ("when: [", {}, "expected YAML, got something else"),
    ],
)
def test_what_is_wrong_is_said(cell: str, line: dict[str, str], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        parse_find_cell(cell, **line)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda text: text.strip()))
def test_any_condition_written_as_yaml_is_read_back(when: str) -> None:
    assert parse_find_cell(write_yaml({"when": when})).when == when
