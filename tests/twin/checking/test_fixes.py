"""The fix of a unit changes the rule of one channel and nothing else, whatever way the mapping names its asset."""

import numpy as np
import pytest

from twinlab.errors import SchemaError
from twinlab.model import parse_mapping
from twinlab.quality.unit_faults import UnitFix
from twinlab.twin.checking.fixes import MappingFix
from twinlab.twin.checking.origins import Origin, rules_of

SWITCH = np.datetime64("2026-02-19T10:55")
HEAD = "source: s\n# why\ntables:\n- time: {column: t, zone: UTC}\n"
ONE = (
    HEAD
    + "  asset: {type: room, id: A}\n  columns:\n    temp: {signal: temperature}  # probe\n    other: {signal: humidity}\n"
)
BLOCK = ONE.replace(
    "temp: {signal: temperature}  # probe", "temp:\n      signal: temperature  # probe\n      unit: degC"
)
ROWS = (
    HEAD + "  asset: {type: room, column: room}\n  columns:\n    temp: {signal: temperature, scale: 0.1, offset: 2}\n"
)
LONG = (
    HEAD + "  tag: tag\n  value: value\n  tags:\n"
    "    '/^T(?P<room>[AB])$/': {signal: temperature, asset: 'room/{room}'}  # both\n    TC: {signal: temperature, asset: room/C}\n"
)
STREAM = "source: s\nstream:\n  tags:\n    TA:\n    - {signal: temperature, asset: room/A, valid_until: 2026-03-01}\n    - {signal: temperature, asset: room/A}\n"


def origin(text: str, *, key: str, place: int = 0, tag: str = "") -> Origin:
    """Return the rule of a key, with a tag."""
    (found,) = [one for one in rules_of({"s": parse_mapping(text)}) if one.key == key and one.place == place]
    return Origin(found.source, found.path, found.place, found.rule, found.row_type, found.own, tag or key)


def fixed(text: str, fix: UnitFix, *, only_asset: bool = False, **where: object) -> str:
    change = MappingFix(origin(text, **where), "room", fix, "mapping/s.yaml", only_asset)  # type: ignore[arg-type]
    made = change.applied(text)
    assert change.line(text)
    return made


def test_a_rule_of_one_asset_gets_the_unit_and_nothing_else_changes() -> None:
    made = fixed(ONE, UnitFix("A", "temperature", "degC", "degF"), key="temp")
    assert made == ONE.replace("{signal: temperature}", "{signal: temperature, unit: degF}")
    assert fixed(BLOCK, UnitFix("A", "temperature", "degC", "K"), key="temp") == BLOCK.replace("unit: degC", "unit: K")


def test_a_switch_makes_two_rules_and_comments_stay() -> None:
    made = fixed(BLOCK, UnitFix("A", "temperature", "degC", "degF", since=SWITCH), key="temp")
    assert "# why" in made
    assert "# probe" in made
    first, second = parse_mapping(made).tables[0].columns["temp"]
    assert (first.unit, first.valid_from, first.valid_until) == ("degF", "2026-02-19T10:55:00Z", None)
    assert (second.unit, second.valid_from) == ("degC", None)
    assert parse_mapping(made).tables[0].columns["other"] == parse_mapping(BLOCK).tables[0].columns["other"]


def test_rows_that_name_the_asset_get_a_rule_for_it_alone() -> None:
    made = fixed(ROWS, UnitFix("B", "temperature", "degC", "degC", factor=10.0), key="temp")
    first, second = parse_mapping(made).tables[0].columns["temp"]
    assert first.assets == ["B"]
    assert (first.scale, first.offset) == (1.0, 20.0)
    assert second == parse_mapping(ROWS).tables[0].columns["temp"][0]
    # The only asset needs no rule beside it.
    (only,) = (
        parse_mapping(fixed(ROWS, UnitFix("B", "temperature", "degC", "K"), key="temp", only_asset=True))
        .tables[0]
        .columns["temp"]
    )
    assert (only.unit, only.assets) == ("K", None)


def test_a_pattern_gets_a_key_of_its_own_for_the_tag() -> None:
    key = "/^T(?P<room>[AB])$/"
    made = fixed(LONG, UnitFix("B", "temperature", "degC", "degF"), key=key, tag="TB")
    tags = parse_mapping(made).tables[0].tags
    assert list(tags) == [key, "TC", "TB"]
    assert (tags["TB"][0].asset, tags["TB"][0].unit) == ("room/B", "degF")
    assert tags[key] == parse_mapping(LONG).tables[0].tags[key]
    assert "# both" in made


def test_a_validity_is_narrowed_and_never_widened() -> None:
    late = np.datetime64("2026-04-01")
    made = fixed(STREAM, UnitFix("A", "temperature", "degC", "degF", since=SWITCH, until=late), key="TA")
    stream = parse_mapping(made).stream
    assert stream is not None
    first, second, third = stream.tags["TA"]
    assert (first.unit, first.valid_from, first.valid_until) == ("degF", "2026-02-19T10:55:00Z", "2026-03-01")
    assert (second.valid_until, third.valid_until) == ("2026-03-01", None)


def test_two_fixes_of_one_key_follow_each_other() -> None:
    once = fixed(ROWS, UnitFix("B", "temperature", "degC", "degF"), key="temp")
    change = MappingFix(origin(ROWS, key="temp"), "room", UnitFix("C", "temperature", "degC", "K"), "mapping/s.yaml")
    rules = parse_mapping(change.applied(once)).tables[0].columns["temp"]
    assert [(one.assets, one.unit) for one in rules] == [(["B"], "degF"), (["C"], "K"), (None, None)]


def test_a_text_without_the_rule_is_refused() -> None:
    change = MappingFix(origin(ONE, key="temp"), "room", UnitFix("A", "temperature", "degC", "degF"), "mapping/s.yaml")
    edited = ONE.replace("{signal: temperature}", "{signal: temperature, unit: K}")
    with pytest.raises(SchemaError, match="the file has been changed: rebuild or restore it, and check again"):
        change.applied(edited)
    assert change.line(edited) == ""
