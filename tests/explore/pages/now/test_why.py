"""Why: what is behind a ticked exception of the page Now."""

import pandas as pd
import pytest

import twinlab as tl
from twinlab.explore import NowView
from twinlab.explore.pages.now.why import RowWhy
from twinlab.testing import FakeTwin

MODEL = """\
twin: cold
origin: 2026-01-01
asset_types:
  room:
    signals: {temperature: {unit: degC, resolution: 0.1, cadence: 10min}}
rules:
  warm: {on: room, when: temperature > 8 degC, lasting: 10min, severity: high}
"""
MAPPING = """\
source: feed
tables:
- time: {column: time, zone: UTC}
  asset: {type: room, column: room}
  columns: {temp: {signal: temperature}}
"""


@pytest.fixture
def twin(tmp_path):
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "feed.yaml").write_text(MAPPING)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=[tmp_path / "feed.yaml"])
    times = [f"2026-01-05T12:{minute}0" for minute in range(4)]
    rows = [(at, room, value) for room in "AB" for at, value in zip(times, (4, 9, 9.5, 9.5), strict=True)]
    with twin.writer("feed") as writer:
        writer.append(pd.DataFrame(rows, columns=["time", "room", "temp"]))
    return twin


def test_the_ticked_exception_is_explained_and_closed_when_another_is_ticked(twin):
    view = NowView(twin)
    why = view._why
    assert why.pieces == [why.button]
    assert why.button.disabled
    place = list(view.table.rows["asset"]).index("B")
    view.table._grid.selection = [place]
    assert not why.button.disabled
    why.button.clicks += 1
    assert set(why.lineage.rows["signal"]) == {"temperature"}
    assert "9.0" in why.lineage.rows["written"].tolist()
    assert "rules.warm" in why.pane[1].object
    assert "warm, B" in why.pane[1].object

    view.table._grid.selection = [0, 1]
    assert why.button.disabled
    assert not len(why.pane)


def test_an_exception_that_is_over_is_a_sentence(twin):
    why = RowWhy(twin, lambda: pd.DataFrame(columns=["key"]))
    why.ticked(["warm/A/2026-01-05T12:10:00"])
    why.explain()
    assert "is over" in why.pane[1].object


def test_data_that_cannot_explain_have_no_button():
    assert NowView(FakeTwin.example(days=1, trips=10))._why.pieces == []
