"""The Now page of a live twin: freshness, follow and pause, back into history; what is stale says so."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from twinlab.explore.kit.link import Link
from twinlab.explore.kit.session import Session, Shared
from twinlab.explore.pages.now.live.bar import mode_html
from twinlab.explore.pages.now.live.freshness import Freshness
from twinlab.explore.pages.now.live.tables import assets_html, chips_html, sources_html
from twinlab.explore.pages.now.page import NowView
from twinlab.testing import FakeTwin
from twinlab.twin.live.status import LiveStatus

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

SECOND = 10**9
NOW = 1_767_600_000 * SECOND
SOURCE = {
    "state": "connected", "stale": False, "since_ns": NOW - 900 * SECOND, "last_row_ns": NOW - 4 * SECOND,
    "last_event_ns": NOW - 5 * SECOND, "rows": 10, "rate": 1.0, "kind": "mqtt", "error": "", "errors": 0, "gaps": [], "gaps_lost": 0,
    "clock_offset": 0.25, "clock_suspect": False, "findings": [], "received_p50": 0.01, "received_p99": 0.2, "event_p50": 0.5,
    "event_p99": 1.5,
}  # fmt: skip


class LiveFake(FakeTwin):
    """A twin with sample data whose rows come from two live sources, as far as a page can tell."""

    status = LiveStatus(running=True, updated_ns=NOW, sources={"gps": SOURCE, "erp": SOURCE})
    ages = (4.0, "live")

    @property
    def mappings(self):
        return {"gps": SimpleNamespace(live=object()), "erp": SimpleNamespace(live=object())}

    def position(self):
        return {"gps": 10, "erp": 10}

    def live_status(self):
        return self.status

    def gaps(self, source):
        raise NotImplementedError

    def recent_rows(self, source, *, rows):
        raise NotImplementedError

    def freshness(self):
        age, state = self.ages
        keys = [(kind, str(one)) for kind in self.model.asset_types for one in self.assets(kind).index]
        index = pd.MultiIndex.from_tuples(keys, names=["asset_type", "asset"])
        row = {
            "source": "gps",
            "state": state,
            "age": age,
            "event_p50": 0.5,
            "event_p99": 1.5,
            "gaps": 0,
            "clock_offset": 0.25,
        }
        return pd.DataFrame([row] * len(keys), index=index)


@pytest.fixture
def twin():
    made = LiveFake.example(days=3, trips=60)
    assert isinstance(made, LiveFake)
    return made


@pytest.fixture
def view(twin, monkeypatch):
    monkeypatch.setattr("twinlab.explore.pages.now.live.follow._SECONDS", 0.0)
    return NowView(twin, shared=Shared(twin, clock=iter(range(0, 10**6, 70)).__next__), session=Session("ada", {}))


def found(twin, **status):
    return Freshness(
        LiveStatus(**{"running": True, "updated_ns": NOW, "sources": {"gps": SOURCE, "erp": SOURCE}} | status),
        twin.freshness(), NOW, ("gps", "erp"), frozenset({"room", "truck"}),
    )  # fmt: skip


def at(text):
    return np.datetime64(text, "ns")


def test_a_live_page_says_so_in_a_sentence_and_every_row_has_the_age_of_its_last_row(view):
    assert "Live" in view.follow.bar.text.object
    assert "all 2 sources current" in view.follow.bar.text.object
    assert view.table.columns[3] == "fresh"
    assert set(view.table.rows["fresh"]) == {"● live · &lt; 1 min".replace("&lt;", "<")}
    assert not view.table.rows["stale"].any()
    assert view.tables()["exceptions"]["last row"].iloc[0].startswith("● live")


def test_a_paused_page_holds_its_rows_until_it_goes_live_again(view, twin):
    view.follow.pause()
    assert view.follow.mode == "paused"
    assert view.link().at == view._now.at
    assert "Paused" in view.follow.bar.text.object
    assert view._tiles()[-1].title == "Paused"
    assert "Paused" in view._strip._pieces[-1].object
    rows = view.table.rows
    twin.ages = (7_200.0, "stale")
    view.follow.show(view.follow.read(), at=view._now.at, chosen=None)
    view._show_notes()
    pd.testing.assert_frame_equal(view.table.rows, rows)
    view.follow.live()
    assert view.follow.mode == "live"
    assert view._tiles()[-1].title == "Newest row"
    assert view.link().at is None
    assert set(view.table.rows["fresh"]) == {"▲ stale · 2 h"}


def test_steps_go_back_and_the_newest_data_are_followed_again(view):
    newest = view._now.at
    view.follow.step(-3600)
    assert view.at == newest - np.timedelta64(1, "h")
    assert view.follow.mode == "back"
    assert "Looking back" in view.follow.bar.text.object
    assert set(view.table.rows["fresh"]) <= {""}
    assert not view.follow.bar._chips.visible
    view.follow.step(-600)
    assert view.at == newest - np.timedelta64(70, "m")
    view.follow.step(4200)
    assert view.at is None
    assert view.follow.mode == "live"


def test_a_chosen_time_ends_a_pause(view):
    view.follow.pause()
    view.at = view._now.at - np.timedelta64(1, "D")
    assert view.follow.mode == "back"
    assert view._now.at == view.at
    view.follow.live()
    assert (view.at, view.follow.mode) == (None, "live")


def test_a_link_to_an_instant_opens_the_page_back_in_history(twin):
    instant = Shared(twin).latest() - np.timedelta64(2, "h")
    view = NowView(twin, link=Link(at=instant))
    assert view.follow.mode == "back"
    assert view.follow.bar.follow.label == "Go live"


def test_what_is_stale_is_dimmed_in_table_map_and_tiles_and_says_so_in_words(view, twin):
    twin.ages = (7_200.0, "no connection")
    view.refresh()
    assert set(view.table.rows["fresh"]) == {"○ no connection · 2 h"}
    assert view.table.rows["stale"].all()
    tile = next(one for one in view._tiles() if one.filter.startswith("type:"))
    assert tile.stale
    assert "not live" in tile.detail
    # The twin's position is the same: only time has passed.
    twin.status = LiveStatus(running=False, updated_ns=NOW, sources=twin.status.sources)
    view.refresh()
    assert "The historian has not run for" in view.follow.bar.text.object
    moving = view.map._shot.table["time"].notna()
    assert view.map._shot.table.loc[moving, "stale"].all()
    named = {
        text for layer in view.map._parts(view.map._shot) if layer.name == "names" for text in layer.columns["text"]
    }
    assert not moving.any() or any("no connection 2 h" in one for one in named)


def test_the_sentence_says_what_the_page_shows(twin):
    def sentence(mode="live", **status):
        return mode_html(mode, found(twin, **status), at=at("2026-01-05T08:00"), command="twinlab run site")

    assert "newest row 4 s ago" in sentence()
    lost = SOURCE | {"state": "connecting", "error": "refused"}
    text = sentence(sources={"gps": lost, "erp": SOURCE})
    assert "Live, but not current" in text
    assert "1 of 2 sources not current: gps (connecting)" in text
    text = sentence(sources={"gps": SOURCE | {"error": "502 Bad Gateway"}, "erp": SOURCE})
    assert "all 2 sources current" in text
    assert "attention: gps" in text
    missing = SOURCE | {"gaps": [{"stream": "", "tags": [], "start_ns": 1, "stop_ns": None}]}
    assert "gps (rows missing)" in sentence(sources={"gps": missing, "erp": SOURCE})
    over = SOURCE | {"gaps": [{"stream": "", "tags": [], "start_ns": 1, "stop_ns": 2}]}
    assert "attention" not in sentence(sources={"gps": over, "erp": SOURCE})
    text = sentence(running=False, updated_ns=NOW - 120 * SECOND)
    assert "The historian has not run for 2 min" in text
    assert "twinlab run site" in text
    assert "No historian has run yet" in sentence(running=False, updated_ns=0, sources={})
    assert "don&#39;t change" in sentence("paused")


def test_states_have_words_and_shapes_beside_their_look_and_texts_are_escaped(twin):
    texts = found(
        twin, sources={"gps": SOURCE | {"stale": True}, "erp": SOURCE | {"error": "<b>no</b>", "clock_suspect": True}}
    )
    chips = chips_html(texts)
    assert "▲ gps stale · 4 s ago" in chips
    assert "● erp · 4 s ago · attention" in chips
    assert "<b>no</b>" not in chips
    table = sources_html(texts)
    assert "0.50 s / 1.50 s" in table
    assert "▲ 0.25 s ahead" in table
    assert "<b>no</b>" not in table
    twin.ages = (90.0, "stale")
    assets = assets_html(found(twin), titles={}, labels={})
    assert "▲ stale" in assets
    assert "1 min ago" in assets
    assert 'class="old"' in assets


def test_an_asset_without_a_live_row_is_not_live(twin):
    fresh = found(twin)
    assert fresh.text(("truck", "nobody")) == "○ no live row yet"
    assert fresh.is_stale(("truck", "nobody"))
    assert fresh.text(("parcel", "P1")) == ""
    assert not fresh.is_stale(("parcel", "P1"))


def test_a_twin_that_is_not_live_has_no_bar_and_no_column_of_ages():
    view = NowView(FakeTwin.example(days=2, trips=5))
    assert view.follow is None
    assert "fresh" not in view.table.columns
    assert "the newest data" in view._instant.text.object
