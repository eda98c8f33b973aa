"""Rules that are for some assets only: one box of a fleet writes another unit than the others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.harmonise.tags import Meaning
from twinlab.model import parse_mapping
from twinlab.model.mapping import TagRule
from twinlab.model.twinmodel import Signal

TIMES = [f"2026-01-05T0{hour}:00:00Z" for hour in range(6)]
ROOM = {"type": "cold_room", "column": "room"}
FAHRENHEIT = {"signal": "temperature", "unit": "degF"}


def values(found) -> dict[tuple[str, str], float]:
    """Return (asset, last two digits of the hour) -> value."""
    claims = found.claims
    hours = [f"{ns // 3_600_000_000_000 % 24:02d}" for ns in claims.event_time.tolist()]
    return {
        (claims.series[code].asset, hour): round(value, 6)
        for code, hour, value in zip(claims.code.tolist(), hours, claims.value.tolist(), strict=True)
    }


def test_a_rule_for_one_asset_and_a_period_comes_before_the_rule_for_all(kit):
    rules = [
        {**FAHRENHEIT, "unit": "degC", "assets": ["A"], "valid_from": TIMES[1], "valid_until": TIMES[2]},
        FAHRENHEIT,
    ]
    rooms = ["A", "B"] * 3
    cells = {"time": sorted(TIMES[:3] * 2), "room": rooms, "t": [50.0] * 6}
    found = kit.run(cells, kit.wide({"t": rules}, asset=ROOM))
    assert values(found) == {
        ("A", "00"): 10.0, ("B", "00"): 10.0, ("A", "01"): 50.0, ("B", "01"): 10.0, ("A", "02"): 10.0, ("B", "02"): 10.0
    }  # fmt: skip
    assert found.problem_count == 0


def test_long_tables_and_patterns_of_assets(kit):
    rules = [{**FAHRENHEIT, "unit": "degC", "assets": ["/^B/", "C"]}, FAHRENHEIT]
    mapping = kit.table(
        tag="tag", value="value", tags={"T": rules}, time={"column": "time", "zone": "UTC"}, asset=ROOM
    )  # fmt: skip
    cells = {"time": TIMES[:4], "tag": ["T"] * 4, "room": ["A", "B1", "AB", "C"], "value": ["50"] * 4}
    assert values(kit.run(cells, mapping)) == {("A", "00"): 10, ("B1", "01"): 50, ("AB", "02"): 10, ("C", "03"): 50}


def test_rows_of_other_assets_without_a_rule_are_left_out(kit):
    cells = {"time": TIMES[:3], "room": ["A", "B", None], "t": [50.0] * 3}
    found = kit.run(cells, kit.wide({"t": {**FAHRENHEIT, "assets": ["A"]}}, asset=ROOM))
    assert values(found) == {("A", "00"): 10.0}


@given(
    st.lists(st.sampled_from(["A", "B1", "B2", "/^B/", "/1$/"]), min_size=1), st.sampled_from(["A", "B1", "B2", "C"])
)
def test_an_asset_is_covered_by_its_id_or_by_a_pattern(names: list[str], asset: str) -> None:
    meaning = Meaning(TagRule(signal="t", assets=names), Signal(resolution=1), "t", "room", None)
    wanted = asset in names or ("/^B/" in names and asset[0] == "B") or ("/1$/" in names and asset[-1] == "1")
    assert meaning.covers(asset) == wanted
    assert not meaning.always


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source: s\nstream:\n  tags: {a: {signal: t, assets: [A]}}", "rows of a stream name no asset"),
        (
            "source: s\ntables:\n  - time: {column: c}\n    columns: {a: {signal: t, asset: room/1, assets: [A]}}",
            "are `asset`'s",
        ),
        ("source: s\ntables:\n  - time: {column: c}\n    columns: {a: {signal: t, assets: []}}", "assets"),
        (
            "source: s\ntables:\n  - time: {column: c}\n    columns: {a: {signal: t, assets: ['/(/']}}",
            "regular expression",
        ),
    ],
)
def test_a_selection_of_assets_that_has_no_effect_is_refused(text: str, said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        parse_mapping(text)


def test_a_rule_for_all_assets_is_written_as_before() -> None:
    assert "assets" not in TagRule(signal="t").model_dump()
