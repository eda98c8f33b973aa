"""Stored tiles give the spans that arrays give: of a twin now, with rows in its tail, as it was known, and of a revision."""

import shutil

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.events import episodes
from twinlab.events.finding.cells import TwinCells
from twinlab.events.finding.scanning.spans import possible_assets, stored_spans
from twinlab.events.finding.search import evaluated_spans
from twinlab.events.rules import conditions
from twinlab.model.expressions import AssetContext, bind_condition
from twinlab.model.reader import SomeAssets
from twinlab.model.rules import Rule

MODEL = """
twin: cold
origin: 2026-01-01
asset_types:
  room:
    properties:
      limit: {dtype: number, unit: degF}
      zone: {dtype: text}
      removed: {dtype: time}
    lifetime: {until: removed}
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min, sensor_span: [-60, 60], spike: [4, 20]}
      door: {kind: state, states: {0: closed, 1: open}, cadence: 1min}
      energy: {kind: counter, unit: kWh, resolution: 0.01, cadence: 15min}
"""
MAPPING = """
source: log
files: ["log*.csv", "rooms.csv"]
tables:
  - table: rooms
    assets: [{type: room, id: room, properties: {limit: {column: limit, unit: degF}, zone: zone, removed: {column: removed, zone: UTC}}}]
  - table: "log*"
    time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns:
      t: {signal: temperature, unit: degC}
      d: {signal: door, states: {"0": closed, "1": open}}
      e: {signal: energy, unit: kWh}
"""
MINUTES = 3 * 1440
ROOMS = 9
EXPRESSIONS = [
    "temperature > 8 degC",
    "temperature > limit and not door == open",
    "temperature < 4 degC or door == open and zone == north",
    "not (temperature <= 9 degC) or zone == north",
    "temperature > 7 degC for at least 25 min",
    "temperature > 6 degC and door == open for at least 90 s",
    "mean(temperature) over 15 min > 8.05 degC",
    "max(temperature) over 20 min - min(temperature) over 20 min > 3 degC",
    "change(temperature) over 1h > 5 degC",
    "temperature - limit > 0.5 degC",
    "door == open within 30 min after temperature > 9 degC",
    "rate(temperature) > 2 degC/min",
    "mean(door == open) over 1h > 50 %",
    "min(temperature > 6 degC or door == open) over 10 min == 1 and not max(door == open) over 5 min > 0",
]


def log(seed: int, first: int, last: int) -> pd.DataFrame:
    """Return rows of all rooms: outages, a jump now and then, values that fail."""
    rng = np.random.default_rng(seed)
    parts = []
    for room in range(ROOMS):
        minute = np.arange(first, last)
        value = 6 + room / 4 + 2 * np.sin(minute / 200 + room) + rng.normal(0, 0.4, minute.size)
        value[rng.random(minute.size) < 0.001] += 30
        there = rng.random(minute.size) > 0.05
        for at in rng.integers(0, minute.size, 6):
            there[at : at + rng.integers(10, 200)] = False
        door = np.where(rng.random(minute.size) < 0.004, rng.integers(0, 2, minute.size).astype(float), np.nan)
        rows = pd.DataFrame(
            {"time": minute, "room": f"r{room}", "t": value.round(1), "d": door, "e": minute // 15 * 0.1}
        )
        rows.loc[rows.time % 15 != 0, "e"] = np.nan
        parts.append(rows[there])
    rows = pd.concat(parts)
    rows["time"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(rows["time"], unit="min")
    return rows.sort_values("time", kind="stable")


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("find")
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "log.yaml").write_text(MAPPING)
    limits = pd.DataFrame(
        {"room": [f"r{n}" for n in range(ROOMS)], "limit": [46.0, None, 50, 45, 48.2, 47, 46, 44, 43.5]}
    )
    limits = limits.assign(zone=["north", "south", None] * 3, removed=["", "", "2026-01-02 12:00:30"] * 3)
    limits.to_csv(folder / "rooms.csv", index=False)
    rows = log(1, 0, MINUTES)
    late = np.random.default_rng(2).random(len(rows)) < 0.02
    rows[~late].to_csv(folder / "log1.csv", index=False)
    twin = tl.create(folder / "twin", model=folder / "twin.yaml", mappings=folder / "log.yaml")
    twin.ingest(folder / "rooms.csv")
    twin.ingest(folder / "log1.csv")
    known = pd.Timestamp.now(tz="UTC")
    # Until now all rows were in the tail.
    twin.rebuild()
    shutil.copytree(folder / "twin", folder / "published")
    with twin.writer("log") as writer:
        writer.append(rows[late].head(60), table="log1")
        writer.append(log(3, MINUTES, MINUTES + 90), table="log1")
        yield {
            "with a tail": twin,
            "published": tl.open(folder / "published"),
            "as it was known": twin.as_of(known),
            "some assets": SomeAssets(twin, {"room": ["r7", "r2", "r5"]}),
        }


def spans(readers, name: str, expression: str, window: tuple[int, int]) -> tuple:
    twin = readers[name]
    condition = bind_condition(expression, AssetContext(twin.model, "room"))
    cells = TwinCells(twin, "room", condition, None)
    origin = twin.model.origin_ns
    low, stop = (origin + minute * 60 * 10**9 + 7 for minute in window)
    numbers = np.arange(len(cells.assets))
    found = stored_spans(cells, condition, low_ns=low, stop_ns=stop, assets=numbers)
    return found, evaluated_spans(cells, condition, low_ns=low, stop_ns=stop, assets=numbers)


@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.parametrize("name", ["published", "with a tail", "as it was known", "some assets"])
def test_stored_tiles_give_the_spans_of_arrays(readers, name, expression):
    for window in ((0, MINUTES + 200), (2000, 2900)):
        found, want = spans(readers, name, expression, window)
        assert found.key.tolist() == want.key.tolist()
        assert found.start.tolist() == want.start.tolist()
        assert found.end.tolist() == want.end.tolist()
    # Something is found somewhere, or equality says nothing.
    assert len(spans(readers, "with a tail", expression, (0, MINUTES + 200))[1].key)


def test_signals_of_several_cadences_are_left_to_arrays(readers):
    found, want = spans(readers, "with a tail", "temperature > 8 degC and energy > 1 kWh", (0, MINUTES))
    assert found is None
    assert len(want.key)


@pytest.mark.parametrize(
    ("expression", "rooms"),
    [
        # The rooms that were removed have cells that are never evaluated.
        ("temperature > 55 degC", [2, 5, 8]),
        ("temperature > 8 degC and zone == north", [0, 3, 6]),
        ("door == open", list(range(ROOMS))),
    ],
)
def test_assets_are_left_out_for_which_a_condition_can_not_be_true(readers, expression, rooms):
    twin = readers["published"]
    condition = bind_condition(expression, AssetContext(twin.model, "room"))
    low, stop = (twin.model.origin_ns + day * 86_400 * 10**9 for day in (0, 2))
    cells = TwinCells(twin, "room", condition, None)
    assert possible_assets(cells, condition, low_ns=low, stop_ns=stop, assets=np.arange(ROOMS)).tolist() == rooms


@pytest.mark.parametrize(
    "when", ["temperature > 12 degC", "temperature > 55 degC", "temperature > limit and zone == south"]
)
def test_rules_leave_out_assets_over_long_spans_and_report_the_same(readers, monkeypatch, when):
    rules = {"warm": Rule.model_validate({"on": "room", "when": when, "lasting": "2min"})}
    span = {"start": "2026-01-01", "stop": "2026-01-03"}
    found = []
    for most in (0, 10**9):
        monkeypatch.setattr(conditions, "_MANY_CELLS", most)
        found.append(episodes(readers["published"], rules, **span))
    pd.testing.assert_frame_equal(*found)
