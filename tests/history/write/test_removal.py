"""Older cells of gauges are removed or rounded; rollups, states and what a rebuild gives stay."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.history.build.cuts import Cut
from twinlab.history.build.mapping_context import Sources
from twinlab.history.layout.grid import Group
from twinlab.history.layout.rollup import COUNTS
from twinlab.history.read.direct import computed
from twinlab.history.revisions.branch import RevisionBranch, branches
from twinlab.history.revisions.revise import build_revision, can_catch_up
from twinlab.history.write.removal import APPLIED, DECIDED, Kept, Removal, rounded
from twinlab.model.flags import Flag
from twinlab.model.mapping import Mapping

DAY = 86_400 * 10**9
ORIGIN = int(np.datetime64("2024-01-01", "ns").astype("int64"))
NONE = np.empty(0, dtype=np.int64)


def fill(site: Any, *, days: int = 12, rooms: str = "ab") -> None:
    """Append a value of each signal every 10 minutes, the newest days last, with one spike a day."""
    rng = np.random.default_rng(3)
    for day in range(days):
        rows = []
        for room in rooms:
            for minute in range(day * 1440, (day + 1) * 1440, 10):
                warm = 60.0 if minute % 1440 == 700 else 20 + 5 * np.sin(minute / 200) + rng.normal(0, 0.2)
                rows += [(f"{room}.t", minute, round(warm, 1)), (f"{room}.h", minute, float(rng.integers(30, 60)))]
                rows += [(f"{room}.d", minute, float(minute % 360 == 0))] if minute % 180 == 0 else []
        site.append(rows)


def cut_at(
    site: Any, day: int, *, older: str = "rollups", kept: dict[str, Kept] | None = None, name: str = "one"
) -> dict:
    def decide(position: dict[str, int]) -> tuple[Removal, dict[str, object]]:
        cut = Cut(name, ORIGIN + day * DAY, tuple(sorted(position.items())))
        return Removal(cut, older, 4, kept or {}), {"author": "dora"}  # type: ignore[arg-type]

    return site.historian().apply_retention(decide)


def read(site: Any, **options: Any) -> xr.Dataset:
    return site.reader().history("room", signals=["temperature", "humidity", "door"], **options).load()


def same(one: xr.Dataset, other: xr.Dataset) -> None:
    xr.testing.assert_identical(one.drop_attrs(deep=False), other.drop_attrs(deep=False))


#: Statistics that are stored at 15 min and at 1 d; extremes of 15 cells aren't.
STORED = [f"{name}_{what}" for name in ("temperature", "humidity") for what in ("mean", "sum", "count", *COUNTS)]


def test_removed_cells_have_no_value_and_rollups_stay(site: Any) -> None:
    fill(site)
    site.historian().catch_up()
    before, days, quarters = read(site), read(site, step="1d"), read(site, step="15min")
    halves = read(site, step="30min")
    spans = Kept(("a",), np.array([ORIGIN + 2 * DAY]), np.array([ORIGIN + 2 * DAY + DAY // 24]))
    proof = cut_at(site, 5, kept={"room": spans})
    after = read(site)
    # Extremes of 15 and of 30 minutes aren't stored: they are known where all cells are.
    for step, was in (("15min", quarters), ("30min", halves)):
        now, full = computed(site.reader().history("room", step=step)), slice("2024-01-03T00:00", "2024-01-03T00:45")
        same(now[STORED], was[STORED])
        assert (now.temperature_max.sel(time=full, asset="a") == was.temperature_max.sel(time=full, asset="a")).all()
        assert now.temperature_max.sel(time=slice(None, "2024-01-04"), asset="b").isnull().all()
        new = slice("2024-01-06T00:00", None)
        same(
            now[["temperature_max", "humidity_min"]].sel(time=new),
            was[["temperature_max", "humidity_min"]].sel(time=new),
        )
    kept = slice("2024-01-03T00:00", "2024-01-03T00:59")
    same(after.sel(time=kept, asset=["a"]), before.sel(time=kept, asset=["a"]))
    assert after.temperature.sel(time=kept, asset="b").isnull().all()
    old = slice(None, "2024-01-05T00:00")
    gone = after.sel(time=old, asset="b")
    there = before.sel(time=old, asset="b").temperature.notnull()
    assert gone.temperature.isnull().all()
    assert (gone.temperature_qc.where(there, drop=True) == Flag.NOT_EVALUATED).all()
    assert gone.temperature_qc.where(~there, drop=True).equals(
        before.sel(time=old, asset="b").temperature_qc.where(~there, drop=True)
    )
    same(after[["door", "door_qc"]], before[["door", "door_qc"]])
    new = slice("2024-01-06T00:00", None)
    same(after.sel(time=new), before.sel(time=new))
    same(read(site, step="1d"), days)
    same(read(site, step="15min")[STORED], quarters[STORED])
    assert after.attrs["removed_before"] == "2024-01-06T00:00:00Z"
    parts = {part["signal"]: part for part in proof["parts"]}
    counted = int((before.temperature.notnull() & after.temperature.isnull()).sum())
    assert parts["temperature"]["removed"] == counted > 1000
    assert "door" not in parts
    decided, applied = (list(site.ledger.journal.entries(kind)) for kind in (DECIDED, APPLIED))
    assert decided[0].payload["author"] == "dora"
    assert applied[0].payload == proof
    assert site.reader().value_extents()["room", "temperature"].first == np.datetime64("2024-01-01T00:00")


def test_rounded_cells_are_near_and_rollups_stay(site: Any) -> None:
    fill(site)
    site.historian().catch_up()
    before, days, quarters = read(site), read(site, step="1d"), read(site, step="15min")
    cut_at(site, 5, older="rounded")
    after = read(site)
    error = abs(after.temperature - before.temperature)
    assert 0.1 < error.max() <= 0.2 + 1e-9
    assert error.sel(time=slice("2024-01-06", None)).max() == 0
    assert (after.temperature_qc == before.temperature_qc).all()
    same(read(site, step="1d"), days)
    # Of windows with few cells, only extremes are computed from cells.
    names = [f"temperature_{what}" for what in ("mean", "sum", "count")]
    now = read(site, step="15min")
    same(now[names], quarters[names])
    assert 0.1 < abs(now.temperature_max - quarters.temperature_max).max() <= 0.2 + 1e-9
    assert "removed_before" not in after.attrs


def test_a_rebuild_gives_the_same_history_late_rows_included(site: Any) -> None:
    fill(site)
    site.historian().catch_up()
    cut_at(site, 5)
    frozen = read(site, step="1d").isel(time=slice(0, 5))
    # Late: an earlier first value of a new room, others of old ones; before and just after the cut; and a new day.
    late = [("a.t", 333, 99.0), ("b.h", 5 * 1440 - 1, 1.0), ("c.t", 100, 5.0), ("a.t", 5 * 1440 + 3, 11.0)]
    site.append([*late, *((f"a.{name}", 12 * 1440 + minute, 20.0) for name in "th" for minute in range(0, 600, 10))])
    report = site.historian().catch_up()
    assert report.sources["rooms"].late == 4
    after, days = read(site), read(site, step="1d")
    same(days.sel(asset=["a", "b"]).isel(time=slice(0, 5)), frozen)
    assert after.temperature.sel(asset="a", time="2024-01-06T00:03") == 11.0
    cut_at(site, 7, name="two")
    after, days, quarters = read(site), read(site, step="1d"), read(site, step="15min")
    site.historian().rebuild()
    same(read(site), after)
    same(read(site, step="1d"), days)
    same(read(site, step="15min"), quarters)
    assert read(site).attrs["removed_before"] == "2024-01-08T00:00:00Z"
    # What comes next is built on it as before.
    site.append([("a.t", 700, 1.0), ("a.t", 12 * 1440 + 700, 21.0)])
    site.historian().catch_up()
    assert read(site).temperature.sel(asset="a", time="2024-01-13T11:40") == 21.0
    same(read(site, step="1d").isel(time=slice(0, 12)), days.isel(time=slice(0, 12)))


def test_a_decision_that_says_less_changes_nothing_and_one_that_says_the_same_removes_nothing(site: Any) -> None:
    fill(site, days=8)
    site.historian().catch_up()
    cut_at(site, 5)
    after = read(site)
    proof = cut_at(site, 3, name="less")
    assert sum(part["removed"] for part in proof["parts"]) == 0
    same(read(site), after)
    site.historian().rebuild()
    same(read(site), after)


def test_a_history_that_is_lost_is_rebuilt_without_the_removed_cells(site: Any) -> None:
    fill(site, days=8)
    site.historian().catch_up()
    cut_at(site, 5)
    after = read(site)
    shutil.rmtree(site.root / "history")
    site.historian().catch_up()
    same(read(site), after)
    assert np.isfinite(site.reader().observations("room/a", "temperature", stop="2024-01-02").value).all()


@given(st.lists(st.integers(-32768, 32767), max_size=50), st.integers(2, 1000))
def test_rounding_is_idempotent_and_within_half_a_step(numbers: list[int], step: int) -> None:
    values = np.array(numbers, dtype=np.int16)
    once = rounded(values, step)
    assert (rounded(once, step) == once).all()
    assert ((once == -32768) == (values == -32768)).all()
    assert (
        np.abs(once.astype(int) - values) <= np.where(np.abs(values.astype(int)) > 32767 - step, step, step / 2)
    ).all()


def revised(site: Any, **temperature: object) -> RevisionBranch:
    """Build a revision under a mapping with another rule of the temperature."""
    body = site.mappings["rooms"].model_dump(mode="json", by_alias=True, exclude_defaults=True)
    (tag, rule), *others = body["stream"]["tags"].items()
    rules = [{**rule[0], "valid_until": "2024-01-07T00:00Z"}, {**rule[0], "valid_from": "2024-01-07T00:00Z"}]
    rules[1] |= temperature
    body["stream"]["tags"] = {tag: rules if temperature else [{**rule[0], "scale": 2}], **dict(others)}
    branch = RevisionBranch(site.root / "history", "r1")
    new = Sources(site.ledger, site.model, {"rooms": Mapping.model_validate(body)})
    with branch.lock():
        build_revision(branch, Sources(site.ledger, site.model, site.mappings), new)
    return branch


def test_a_revision_of_removed_cells_is_refused_and_one_of_later_cells_is_not(site: Any) -> None:
    fill(site, days=9)
    site.historian().catch_up()
    cut_at(site, 5)
    with pytest.raises(SchemaError, match=r"before 2024-01-06T00:00:00 UTC.* cells of room .*rebuild"):
        revised(site)
    assert not branches(site.root / "history")
    branch = revised(site, scale=2)
    group = Group("room", "1min")
    first = branch.view().catalog.entry(group).axis.cell(ORIGIN + 6 * DAY)
    one, other = (
        view.values(group, "temperature", 0, first) for view in (branch.view(), site.reader()._pins.pin().view)
    )
    assert (one == other).all()
    cut_at(site, 6, name="two")
    assert not can_catch_up(branch, Sources(site.ledger, site.model, site.mappings))
