"""Assets with a clock of their own: tables, long tables, streams; their validity and their order."""

import pytest

from twinlab.errors import SchemaError
from twinlab.model import parse_mapping

HOUR = 3600 * 10**9
TIMES = [f"2026-01-05T0{hour}:00:00Z" for hour in range(6)]
ROOM = {"type": "cold_room", "column": "room"}
AHEAD = {"assets": ["B"], "shift": "2h", "shift_sign": -1}


def hours(found) -> list[tuple[str, int]]:
    """Return (asset, hour of the event time since 2026-01-05) of each claim, by row."""
    claims = found.claims
    day = 20_458 * 24
    every = zip(claims.ordinal.tolist(), claims.code.tolist(), claims.event_time.tolist(), strict=True)
    return [(claims.series[code].asset, ns // HOUR - day) for _, code, ns in sorted(every)]


def test_only_the_rows_of_the_asset_are_shifted(kit):
    cells = {"time": TIMES[:4], "room": ["A", "B", None, "B"], "t": [4.0] * 4}
    found = kit.run(cells, kit.wide({"t": {"signal": "temperature"}}, asset=ROOM, clocks=[AHEAD]))
    assert hours(found) == [("A", 0), ("B", -1), ("B", 1)]


def test_a_clock_is_wrong_from_some_time_on_and_the_first_that_fits_applies(kit):
    clocks = [{**AHEAD, "valid_from": TIMES[2], "valid_until": TIMES[4]}, {"assets": ["/B/"], "shift": "1h"}]
    cells = {"time": TIMES, "room": ["B"] * 6, "t": [4.0] * 6}
    found = kit.run(cells, kit.wide({"t": {"signal": "temperature"}}, asset=ROOM, clocks=clocks))
    assert [hour for _, hour in hours(found)] == [1, 2, 0, 1, 5, 6]


def test_the_validity_of_a_rule_is_of_corrected_times(kit):
    rules = [{"signal": "temperature", "valid_until": TIMES[1]}, {"signal": "energy", "valid_from": TIMES[1]}]
    cells = {"time": TIMES[:4], "room": ["B"] * 4, "t": [4.0] * 4}
    claims = kit.run(cells, kit.wide({"t": rules}, asset=ROOM, clocks=[AHEAD])).claims
    assert [claims.series[code].signal for code in claims.code.tolist()] == ["temperature"] * 3 + ["energy"]


def test_the_asset_that_a_rule_names_has_its_clock(kit):
    rules = {
        "b": {"signal": "temperature", "asset": "cold_room/B"},
        "a": {"signal": "temperature", "asset": "cold_room/A"},
    }
    found = kit.run({"time": TIMES[3:4], "b": [4.0], "a": [5.0]}, kit.wide(rules, clocks=[AHEAD]))
    assert sorted(hours(found)) == [("A", 3), ("B", 1)]


def test_long_tables(kit):
    mapping = kit.table(
        tag="tag", value="value", tags={"T": {"signal": "temperature"}, "B.T": {"signal": "energy", "asset": "cold_room/B"}},
        time={"column": "time", "zone": "UTC"}, asset=ROOM, clocks=[AHEAD],
    )  # fmt: skip
    cells = {"time": TIMES[:3], "tag": ["T", "T", "B.T"], "room": ["A", "B", "A"], "value": [1.0, 2.0, 3.0]}
    assert hours(kit.run(cells, mapping)) == [("A", 0), ("B", -1), ("B", 0)]


def test_streams(kit):
    from tests.harmonise.test_stream import run

    tags = {f"{room}.T": {"signal": "temperature", "asset": f"cold_room/{room}"} for room in "AB"}
    rule = {"tags": tags, "clocks": [AHEAD]}
    claims = run(kit, ["A.T", "B.T"], rule=rule, times=[5 * HOUR, 5 * HOUR], values=[1.0, 2.0]).claims
    assert [(claims.series[c].asset, t // HOUR) for c, t in zip(claims.code, claims.event_time, strict=True)] == [
        ("A", 5),
        ("B", 3),
    ]


@pytest.mark.parametrize(
    ("clock", "message"),
    [
        ("{assets: [], shift: 1h}", "assets"),
        ("{assets: [B], shift: -1h}", "expected a duration"),
        ("{assets: [B]}", "shift"),
        ("{assets: [B], shift: 1h, zone: UTC}", "zone"),
    ],
)
def test_a_clock_that_says_nothing_is_refused(clock: str, message: str) -> None:
    text = f"source: s\ntables:\n- time: {{column: t, zone: UTC}}\n  columns: {{}}\n  clocks: [{clock}]\n"
    with pytest.raises(SchemaError, match=message):
        parse_mapping(text)
