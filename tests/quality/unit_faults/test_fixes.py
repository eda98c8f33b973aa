"""The one line of a mapping that corrects a suspect."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model import parse_mapping
from twinlab.quality.unit_faults import UnitFix, fix_text

SINCE, UNTIL = np.datetime64("2026-02-19T10:55"), np.datetime64("2026-03-01T00:00")
DEMO = files("twinlab.demos") / "parcel" / "mapping"
LONG = """\
source: plant  # from the historian
tables:
  - time: {column: at, zone: UTC}
    tag: tag
    value: value
    tags:
      # Rooms.
      /^TH-(?P<room>\\d+)$/:
        signal: temperature
        asset: cold_room/R{room}
        unit: degC  # says the manual
      P7: {signal: pressure, asset: pump/7, unit: bar, scale: 0.1, offset: 2}
"""


def test_a_box_of_a_fleet_gets_a_rule_before_that_of_the_others() -> None:
    text = (DEMO / "fleetbox.yaml").read_text(encoding="utf-8")
    fixed = fix_text(UnitFix("T042", "speed", "km/h", "mph", since=SINCE), text, "kmh")
    assert fixed.line == (
        "kmh: [{signal: speed, unit: mph, assets: [T042], valid_from: '2026-02-19T10:55:00Z'}, {signal: speed, unit: km/h}]"
    )
    # One line differs, and it is the shown one; the first line is a comment.
    old, new = text.splitlines(), fixed.text.splitlines()
    assert [(before, after.strip()) for before, after in zip(old, new, strict=True) if before != after] == [
        ("      kmh: {signal: speed, unit: km/h}", fixed.line)
    ]
    assert fixed.mapping == parse_mapping(fixed.text)


def test_further_assets_with_the_same_fault_join_the_rule() -> None:
    text = (DEMO / "fridges.yaml").read_text(encoding="utf-8")
    for room in ("R05", "R06"):
        text = fix_text(UnitFix(room, "temperature", "degF", "degC", 1.0, SINCE, UNTIL), text, "Temperatur °F").text
    first, second = parse_mapping(text).tables[0].columns["Temperatur °F"]
    assert (first.unit, first.assets, first.valid_from, first.valid_until) == (
        "degC", ["R05", "R06"], "2026-02-19T10:55:00Z", "2026-03-01T00:00:00Z"
    )  # fmt: skip
    assert (second.unit, second.assets) == ("degF", None)


def test_a_tag_of_a_family_gets_an_entry_of_its_own() -> None:
    fixed = fix_text(UnitFix("R12", "temperature", "degC", "degF", since=SINCE), LONG, "TH-12")
    tags = fixed.mapping.tables[0].tags
    assert list(tags) == ["/^TH-(?P<room>\\d+)$/", "P7", "TH-12"]
    assert [(one.asset, one.unit, one.valid_from) for one in tags["TH-12"]] == [
        ("cold_room/R12", "degF", "2026-02-19T10:55:00Z"), ("cold_room/R12", "degC", None)
    ]  # fmt: skip
    assert "# says the manual" in fixed.text
    assert "# Rooms." in fixed.text


def test_a_tag_that_was_always_wrong_is_corrected_itself() -> None:
    fixed = fix_text(UnitFix("7", "pressure", "bar", "psi"), LONG, "P7")
    assert fixed.line == "P7: {signal: pressure, asset: pump/7, unit: psi, scale: 0.1, offset: 2}"
    assert fixed.text == LONG.replace("unit: bar", "unit: psi")


def test_a_decimal_place_is_a_scale_on_top_of_that_of_the_rule() -> None:
    (rule,) = fix_text(UnitFix("7", "pressure", "bar", "bar", 0.1), LONG, "P7").mapping.tables[0].tags["P7"]
    assert (rule.unit, rule.scale, rule.offset) == ("bar", pytest.approx(0.01), pytest.approx(0.2))


def test_rules_with_a_validity_are_changed_only_in_the_time_of_the_fault() -> None:
    text = LONG.replace(
        "{signal: pressure, asset: pump/7, unit: bar, scale: 0.1, offset: 2}",
        "[{signal: pressure, asset: pump/7, unit: psi, valid_until: 2026-02-01}, "
        "{signal: pressure, asset: pump/7, unit: bar, valid_from: 2026-02-01}]",
    )
    fixed = fix_text(UnitFix("7", "pressure", "bar", "psi", since=SINCE, until=UNTIL), text, "P7")
    assert [(one.unit, one.valid_from, one.valid_until) for one in fixed.mapping.tables[0].tags["P7"]] == [
        ("psi", None, "2026-02-01"),
        ("psi", "2026-02-19T10:55:00Z", "2026-03-01T00:00:00Z"),
        ("bar", "2026-02-01", None),
    ]


def test_a_mapping_without_its_text_is_written_tidily() -> None:
    mapping = parse_mapping((DEMO / "forklifts.yaml").read_text(encoding="utf-8"))
    fixed = fix_text(UnitFix("F07", "battery", "%", "1"), mapping, "battery.pct")
    assert parse_mapping(fixed.text) == fixed.mapping
    assert [(one.unit, one.assets) for one in fixed.mapping.tables[0].columns["battery.pct"]] == [
        ("1", ["F07"]), ("%", None)
    ]  # fmt: skip


def test_a_value_that_is_an_alias_is_changed_alone() -> None:
    text = LONG.replace("P7: {", "P6: &p {").rstrip("\n") + "\n      P8: *p\n"
    fixed = fix_text(UnitFix("7", "pressure", "bar", "psi"), text, "P8")
    units = {tag: rules[0].unit for tag, rules in fixed.mapping.tables[0].tags.items() if tag.startswith("P")}
    assert units == {"P6": "bar", "P8": "psi"}


def test_tags_signals_and_units_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UnknownTermError, match=r"no rule of 'P77' for the signal 'pressure'.*did you mean 'P7'"):
        fix_text(UnitFix("7", "pressure", "bar", "psi"), LONG, "P77")
    with pytest.raises(UnknownTermError, match="for the signal 'flow'"):
        fix_text(UnitFix("7", "flow", "L", "gal"), LONG, "P7")
    with pytest.raises(SchemaError, match="states the unit 'bar', but the suspect '7' was declared as 'kPa'"):
        fix_text(UnitFix("7", "pressure", "kPa", "psi"), LONG, "P7")
