"""The frame counts what is opened, without who."""

from __future__ import annotations

import asyncio
from pathlib import Path

import panel_material_ui as pmui

from twinlab.apps.frame.frame import page
from twinlab.testing import FakeTwin
from twinlab.twin.usage.counter import UsageCounter
from twinlab.twin.usage.store import UsageStore


def test_the_frame_counts_pages_but_not_who(tmp_path: Path) -> None:
    counter = UsageCounter(UsageStore(tmp_path / "usage"))

    async def visit() -> None:
        shown = page(FakeTwin.example(days=1, trips=5), query="?page=history", usage=counter)
        [menu] = shown.select(pmui.MenuList)
        menu.active = [item["label"] for item in menu.items].index("Events & KPIs")

    # In a running loop: without one Panel makes a loop of its own and never closes it.
    asyncio.run(visit())
    counter.close()
    (counts,) = UsageStore(tmp_path / "usage").read().values()
    assert counts == {"page:history": 1, "page:events": 1}
