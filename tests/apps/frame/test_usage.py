"""The frame counts what is opened, without who."""

from __future__ import annotations

from pathlib import Path

from twinlab.apps.frame.frame import page
from twinlab.testing import FakeTwin
from twinlab.twin.usage.counter import UsageCounter
from twinlab.twin.usage.store import UsageStore


def test_the_frame_counts_pages_but_not_who(tmp_path: Path) -> None:
    twin = FakeTwin.example(days=1, trips=5)
    counter = UsageCounter(UsageStore(tmp_path / "usage"))
    shown = page(twin, query="?page=history", usage=counter)
    menu = next(one for one in shown.sidebar if hasattr(one, "active") and hasattr(one, "items"))
    labels = [item["label"] for item in menu.items]
    menu.active = labels.index("Events & KPIs")
    counter.close()
    (counts,) = UsageStore(tmp_path / "usage").read().values()
    assert counts == {"page:history": 1, "page:events": 1}
