"""The page Use: weeks of counts, small ones hidden, for those whose role opens it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import twinlab as tl
from twinlab.explore import PAGES
from twinlab.explore.pages.usage.page import UsageView
from twinlab.explore.pages.usage.weeks import recent_weeks
from twinlab.languages import using
from twinlab.testing import FakeTwin
from twinlab.twin.usage.store import UsageStore

MODEL = "twin: site\norigin: 2026-01-01\nasset_types:\n  room: {signals: {temperature: {unit: degC, resolution: 0.1, cadence: 1min}}}\n"


@pytest.fixture
def twin(tmp_path: Path) -> tl.Twin:
    (tmp_path / "twin.yaml").write_text(MODEL)
    return tl.create(tmp_path / "site", model=tmp_path / "twin.yaml")


def text_of(view: UsageView) -> str:
    parts: list[Any] = list(view._body)
    return " ".join(str(part.object) for part in parts)


def count(twin: tl.Twin) -> None:
    before, last, now = recent_weeks(pd.Timestamp.now("UTC").tz_localize(None))[-3:]
    store = UsageStore(twin.folder / "usage")
    store.add({f"{before:%Y-%m-%d}": {"page:now": 30}, f"{now:%Y-%m-%d}": {"page:now": 50}})
    store.add({f"{last:%Y-%m-%d}": {"page:now": 40, "page:map": 3, "task:answer": 12, "answer:1s": 11, "answer:3s": 1}})


def test_the_page_shows_weeks_without_small_counts(twin: tl.Twin) -> None:
    count(twin)
    view = UsageView(twin)
    shown = text_of(view)
    assert "pages were opened 40 times, and 12 tasks done" in shown
    assert "In the week before: 30 pages" in shown
    assert "&lt; 5" in shown
    assert set(view.tables()["use"]["shown"]) == {"30", "40", "50", "12", "11", "< 5"}
    names: dict[str, Any] = {}
    exec(view.code(), names)
    pd.testing.assert_frame_equal(names["data"], twin.usage())


def test_a_page_without_counts_says_how_to_turn_it_off(twin: tl.Twin) -> None:
    assert "TWINLAB_USAGE=off" in text_of(UsageView(twin))


def test_the_page_is_german_for_germans(twin: tl.Twin) -> None:
    count(twin)
    with using("de"):
        shown = text_of(UsageView(twin))
    assert "Seiten" in shown and "Aufgaben" in shown
    for word in ("opened", "Tasks", "Counted by", "in 1 s or less"):
        assert word not in shown


def test_twins_that_count_have_the_page_and_two_roles_open_it(twin: tl.Twin) -> None:
    spec = PAGES.get("usage")
    assert spec.has(twin)
    assert not spec.has(FakeTwin.example(days=1, trips=1))
    assert spec.roles == ("steward", "security")
