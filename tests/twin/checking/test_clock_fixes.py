"""The fix of a clock is one entry in the table or stream of the mapping, for one asset."""

import numpy as np
import pytest

from twinlab.errors import SchemaError
from twinlab.model import parse_mapping
from twinlab.model.mapping import ClockRule
from twinlab.twin.checking.clock_fixes import ClockChange, ClockFix
from twinlab.twin.checking.origins import rules_of

TABLE = """source: s
tables:
- time: {column: t, zone: UTC}  # the logger's
  asset: {type: room, column: room}
  columns:
    temp: {signal: temperature}
    damp: {signal: humidity}
"""
STREAM = "source: s\nstream:\n  tags:\n    TA: {signal: temperature, asset: room/A}\n"
LATE = ClockFix("A", "temperature", np.timedelta64(90, "m"))


def change(text: str, fix: ClockFix = LATE, clocks: tuple[ClockRule, ...] = ()) -> ClockChange:
    return ClockChange(next(rules_of({"s": parse_mapping(text)})), fix, "mapping/s.yaml", clocks)


def test_a_table_gets_a_clock_and_keeps_all_else() -> None:
    made = change(TABLE).applied(TABLE)
    assert parse_mapping(made).tables[0].clocks == [ClockRule(assets=["A"], shift="90min", shift_sign=-1)]
    assert parse_mapping(made).tables[0].columns == parse_mapping(TABLE).tables[0].columns
    assert "# the logger's" in made
    assert (
        change(TABLE).line(TABLE)
        == "clocks: [{assets: [A], shift: 90min, shift_sign: -1}]  # mapping/s.yaml, tables[0]"
    )


def test_a_stream_gets_a_clock() -> None:
    early = ClockFix("A", "temperature", np.timedelta64(-3600, "s"), until=np.datetime64("2026-03-01"))
    stream = parse_mapping(change(STREAM, early).applied(STREAM)).stream
    assert stream is not None
    assert stream.clocks == [ClockRule(assets=["A"], shift="1h", valid_until="2026-03-01T00:00:00Z")]


def test_fixes_of_two_signals_of_an_asset_are_one_clock_and_of_two_assets_two() -> None:
    once = change(TABLE).applied(TABLE)
    assert change(TABLE, ClockFix("A", "humidity", np.timedelta64(91, "m"))).applied(once) == once
    both = change(TABLE, ClockFix("B", "humidity", np.timedelta64(-45, "s"))).applied(once)
    assert [(one.assets, one.shift) for one in parse_mapping(both).tables[0].clocks] == [
        (["A"], "90min"),
        (["B"], "45s"),
    ]


def test_an_asset_that_has_a_clock_already_gets_no_second_one() -> None:
    once = change(TABLE).applied(TABLE)
    known = tuple(parse_mapping(once).tables[0].clocks)
    with pytest.raises(SchemaError, match="'A' has a clock in tables\\[0\\].clocks of mapping/s.yaml"):
        change(once, clocks=known).applied(once)
    assert change(once, clocks=known).line(once) == ""
