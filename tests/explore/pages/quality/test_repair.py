"""From a finding to a promoted history on the Quality page."""

from __future__ import annotations

import asyncio

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.explore.kit.session import Session
from twinlab.explore.pages.quality.page import QualityView
from twinlab.explore.pages.quality.repair import RepairView, can_repair
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

MODEL = """\
twin: cold_chain
origin: 2026-01-01
asset_types:
  fridge:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1h, sensor_span: [-60, 60], expected_span: [-5, 15]}
"""
MAPPING = """\
source: fridges
files: [fridges.csv]
tables:
  - time: {column: time, zone: UTC}
    asset: {type: fridge, column: name}
    columns:
      temp: {signal: temperature, unit: degC}
"""


@pytest.fixture
def twin(tmp_path):
    """Eight fridges, of which one writes °F."""
    rng = np.random.default_rng(1)
    times = pd.date_range("2026-01-05", periods=24 * 28, freq="1h")
    daily = 4 + np.sin(np.arange(len(times)) * 2 * np.pi / 24)
    parts = []
    for n in range(8):
        values = daily + rng.normal(0, 0.3, len(times))
        parts.append(
            pd.DataFrame({"time": times, "name": f"f{n}", "temp": (values * 1.8 + 32 if n == 3 else values).round(1)})
        )
    pd.concat(parts).to_csv(tmp_path / "fridges.csv", index=False)
    (tmp_path / "model.yaml").write_text(MODEL)
    (tmp_path / "fridges.yaml").write_text(MAPPING)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "model.yaml", mappings=tmp_path / "fridges.yaml")
    twin.ingest(tmp_path / "fridges.csv")
    return twin


def select(view: RepairView, asset: str, kind: str) -> None:
    table = view._grid.value
    view._grid.selection = [int(np.flatnonzero((table["asset"] == asset) & (table["kind"] == kind))[0])]


def test_a_wrong_unit_is_found_fixed_compared_and_promoted_without_code(twin):
    page = QualityView(twin, session=Session(user="ada"))
    view = page.repair
    before = page.heat.rows.cells.value.copy()
    asyncio.run(view.check())
    assert "with a proposed fix" in view._status.object
    select(view, "f3", "unit")
    assert "degF" in view._evidence.object
    assert view.source.value == "fridges"
    assert "degF" in view.mapping.value
    asyncio.run(view.replay())
    assert view.revision.diff().cells["asset"].unique().tolist() == ["f3"]
    assert len(view._result) > 3
    code = view.code()
    assert "report.fixed_mapping(" in code
    view.reason.value = "checked on site"
    asyncio.run(view.promote())
    row = twin.revisions().iloc[0]
    assert (row["state"], row["decided_by"], row["decision_reason"]) == ("promoted", "ada", "checked on site")
    assert "Promoted by ada" in view._status.object
    assert float(twin.history("fridge", assets=["f3"]).temperature.mean()) < 5
    # The page shows the new history at once.
    assert not np.array_equal(page.heat.rows.cells.value, before, equal_nan=True)


def test_a_mapping_changed_by_hand_is_replayed_and_discarded(twin):
    view = RepairView(twin, session=Session(user="ada"), window=lambda: None, promoted=lambda: None)
    asyncio.run(view.check())
    view.mapping.value = MAPPING.replace("unit: degC", "unit: K")
    asyncio.run(view.replay())
    first = view.revision.id
    assert "unit: K" in view.code()
    view.mapping.value = MAPPING.replace("unit: degC", "unit: degF")
    asyncio.run(view.replay())
    assert twin.revisions().set_index("revision")["state"].to_dict()[first] == "discarded"
    asyncio.run(view.discard())
    assert set(twin.revisions()["state"]) == {"discarded"}
    assert "nothing has changed" in view._status.object


def test_a_mapping_that_cannot_be_meant_is_an_error_on_the_page(twin):
    view = RepairView(twin, session=Session(user="ada"), window=lambda: None, promoted=lambda: None)
    asyncio.run(view.check())
    for text, reason in (
        (MAPPING, "means the same"),
        ("tables: [\n", "the new YAML"),
        (MAPPING.replace("name}", "nam}"), "without a meaning"),
    ):
        view.mapping.value = text
        asyncio.run(view.replay())
        assert "role='alert'" in str(view._status.object)
        assert reason in str(view._status.object)
        assert view.revision is None
    assert len(twin.revisions()) == 0
    view.author.value = " "
    view.mapping.value = MAPPING.replace("degC", "degF")
    asyncio.run(view.replay())
    asyncio.run(view.promote())
    assert "Say who promotes it" in view._status.object
    assert twin.revisions()["state"].tolist() == ["open"]


def test_a_view_of_the_past_and_a_fake_have_no_repair(twin):
    assert can_repair(twin)
    assert not can_repair(twin.reader)
    assert QualityView(FakeTwin.example(days=2, trips=2)).repair is None
