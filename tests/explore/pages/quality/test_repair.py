"""From a finding to a promoted history on the Quality page."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from twinlab.explore.kit.session import Session
from twinlab.explore.pages.quality.page import QualityView
from twinlab.explore.pages.quality.repair import RepairView
from twinlab.explore.pages.quality.twins import can_repair
from twinlab.testing import FakeTwin

# Bokeh 3.9 resets an index in place, which pandas 3.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")


def select(view: RepairView, asset: str, kind: str) -> None:
    table = view.report.table
    asyncio.run(view.select(int(np.flatnonzero((table["asset"] == asset) & (table["kind"] == kind))[0])))


def test_a_wrong_unit_is_found_fixed_compared_and_promoted_without_code(fridges):
    page = QualityView(fridges, session=Session(user="ada"))
    view = page.repair
    before = page.heat.rows.cells.value.copy()
    asyncio.run(view.check())
    assert "with a proposed fix" in view.work.line.object
    select(view, "f3", "unit")
    assert "degF" in view._evidence.object
    assert view.replaying.source.value == "fridges"
    assert "degF" in view.replaying.mapping.value
    asyncio.run(view.replaying.replay())
    assert view.replaying.revision.diff().cells["asset"].unique().tolist() == ["f3"]
    assert len(view.replaying.result) > 3
    code = view.code()
    assert "report.fixed_mapping(" in code
    view.replaying.reason.value = "checked on site"
    asyncio.run(view.replaying.promote())
    row = fridges.revisions().iloc[0]
    assert (row["state"], row["decided_by"], row["decision_reason"]) == ("promoted", "ada", "checked on site")
    assert "Promoted by ada" in view.work.line.object
    assert float(fridges.history("fridge", assets=["f3"]).temperature.mean()) < 5
    # The page shows the new history at once.
    assert not np.array_equal(page.heat.rows.cells.value, before, equal_nan=True)


def test_a_mapping_changed_by_hand_is_replayed_and_discarded(fridges):
    view = RepairView(fridges, session=Session(user="ada"), window=lambda: None, promoted=lambda: None)
    asyncio.run(view.check())
    mapping = view.report.mappings["fridges"]
    view.replaying.mapping.value = mapping.replace("unit: degC", "unit: K")
    asyncio.run(view.replaying.replay())
    first = view.replaying.revision.id
    assert "unit: K" in view.code()
    view.replaying.mapping.value = mapping.replace("unit: degC", "unit: degF")
    asyncio.run(view.replaying.replay())
    assert fridges.revisions().set_index("revision")["state"].to_dict()[first] == "discarded"
    asyncio.run(view.replaying.discard())
    assert set(fridges.revisions()["state"]) == {"discarded"}
    assert "nothing has changed" in view.work.line.object


def test_a_mapping_that_cannot_be_meant_is_an_error_on_the_page(fridges):
    view = RepairView(fridges, session=Session(user="ada"), window=lambda: None, promoted=lambda: None)
    asyncio.run(view.check())
    mapping = view.report.mappings["fridges"]
    for text, reason in (
        (mapping, "means the same"),
        ("tables: [\n", "the new YAML"),
        (mapping.replace("name}", "nam}"), "without a meaning"),
    ):
        view.replaying.mapping.value = text
        asyncio.run(view.replaying.replay())
        assert "role='alert'" in str(view.work.line.object)
        assert reason in str(view.work.line.object)
        assert view.replaying.revision is None
    assert len(fridges.revisions()) == 0
    view.replaying.author.value = " "
    view.replaying.mapping.value = mapping.replace("degC", "degF")
    asyncio.run(view.replaying.replay())
    asyncio.run(view.replaying.promote())
    assert "Say who promotes it" in view.work.line.object
    assert fridges.revisions()["state"].tolist() == ["open"]


def test_a_view_of_the_past_and_a_fake_have_no_repair(fridges):
    assert can_repair(fridges)
    assert not can_repair(fridges.reader)
    assert QualityView(FakeTwin.example(days=2, trips=2)).repair is None
