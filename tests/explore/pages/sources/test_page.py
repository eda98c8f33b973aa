"""The Sources page: what a status means, and the page on a twin whose sources have run."""

import time

import pandas as pd
import pytest

import twinlab as tl
from twinlab.explore import PAGES
from twinlab.explore.kit.link import Link
from twinlab.explore.kit.live.live_twins import has_live_sources
from twinlab.explore.kit.live.states import source_rows, state_text, trouble, verdict
from twinlab.explore.kit.panes import Html
from twinlab.explore.pages.sources.details import facts
from twinlab.explore.pages.sources.page import SourcesView
from twinlab.sources.live import Gap
from twinlab.testing import FakeTwin, check_page
from twinlab.twin.live.gaps import GapChange, GapLog
from twinlab.twin.live.status import LiveStatus, read_status

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

MODEL = """
twin: site
origin: 2026-01-01
asset_types:
  truck:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
"""
FEED = """
source: NAME
tables:
  - table: "*"
    time: {column: time, zone: UTC}
    asset: {type: truck, column: truck}
    columns: {temperature: {signal: temperature, unit: degC}}
"""
SECOND = 10**9


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    """Return a twin with two live sources that have ended, and one source that isn't live."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "twin.yaml").write_text(MODEL)
    mappings = folder / "mappings"
    mappings.mkdir()
    for name in ("depot", "reefers", "sheets"):
        live = "" if name == "sheets" else f"live: {{kind: replay, file: {name}.csv}}\n"
        (mappings / f"{name}.yaml").write_text(FEED.replace("NAME", name) + live)
    made = tl.create(folder / "site", model=folder / "twin.yaml", mappings=mappings)
    rows = "".join(f"2026-03-01T00:{n:02d}Z,a,{n / 10}\n" for n in range(60))
    for name in ("depot", "reefers"):
        (made.folder / f"{name}.csv").write_text(f"time,truck,temperature\n{rows}")
    made.run(once=True)
    return made


@pytest.fixture(scope="module")
def entry(twin):
    """Return the status of a source, to be changed."""
    return dict(twin.live_status().sources["depot"])


def status(running=True, **sources):
    return LiveStatus(running=running, updated_ns=100 * SECOND, started_ns=1, sources=sources)


def test_the_page_conforms_and_only_twins_with_live_sources_have_it(twin):
    check_page(PAGES.get("sources"), twin=twin)
    assert not has_live_sources(FakeTwin.example(days=1, trips=1))


def test_the_page_shows_every_live_source_and_the_rows_of_the_chosen_one(twin):
    view = SourcesView(twin, link=Link(part="reefers"))
    assert view.notice == ""
    assert list(view.tables()) == ["sources", "last rows"]
    shown = view.tables()["sources"]
    assert list(shown["source"]) == ["depot", "reefers"]
    assert set(shown["state"]) == {"■ ended"}
    assert list(shown["rows"]) == ["60", "60"]
    newest = view.tables()["last rows"]
    assert len(newest) == 20
    assert newest["time"].iloc[0] == "2026-03-01T00:59Z"
    view.source = ""
    assert list(view.tables()) == ["sources"]


def test_a_gap_is_shown_with_what_became_of_it(twin):
    gaps = GapLog(twin.ledger.journal, "depot")
    gap = Gap("pump", "outage", start_ns=0, stop_ns=60 * SECOND)
    gaps.note([gap])
    gaps.change([GapChange(gap, "filled", "the server's history", 412)])
    (shown,) = SourcesView(twin, link=Link(part="depot")).tables()["gaps"].to_dict("records")
    assert (shown["stream"], shown["state"], shown["rows"], shown["note"]) == (
        "pump",
        "filled",
        412,
        "the server's history",
    )
    assert "gaps" not in SourcesView(twin, link=Link(part="reefers")).tables()


def test_a_chosen_row_of_the_table_is_the_source_of_the_link(twin):
    view = SourcesView(twin)
    view._grid.selection = [1]
    assert view.link() == Link(part="reefers")
    view.refresh()
    assert view._grid.selection == [1]


def test_an_unknown_source_in_a_link_is_a_notice(twin):
    view = SourcesView(twin, link=Link(part="refers"))
    assert "reefers" in view.notice
    assert view.source == ""


def test_recent_rows_of_an_unknown_source_are_refused(twin):
    with pytest.raises(tl.errors.UnknownTermError, match="unknown source 'depots'.*depot"):
        twin.recent_rows("depots")


def test_without_a_historian_the_page_has_the_command_that_starts_one(twin, tmp_path):
    never = verdict(read_status(tmp_path), ["depot"], command="twinlab run site")
    assert (never.good, never.head) == (False, "No historian has run yet")
    assert never.detail == "Start it with: twinlab run site"
    stopped = verdict(status(running=False), ["depot"], command="twinlab run site", now_ns=220 * SECOND)
    assert stopped.head == "The historian has not run for 2 min"


def test_a_verdict_names_the_sources_that_need_attention(entry):
    good = {**entry, "state": "connected", "rate": 4.0}
    fine = verdict(status(depot=good), ["depot"], command="", now_ns=100 * SECOND)
    assert (fine.good, fine.head, fine.detail) == (
        True,
        "The source works",
        "4.0 rows a second over the last ten seconds.",
    )
    bad = {**good, "stale": True, "last_row_ns": 40 * SECOND}
    found = verdict(status(depot=good, reefers=bad), ["depot", "reefers", "erp"], command="", now_ns=100 * SECOND)
    assert found.head == "2 of 3 sources need attention"
    assert found.detail == "reefers: no row for 1 min · erp: added after the historian started; restart it"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"state": "connecting", "error": "refused"}, "not connected: refused"),
        ({"state": "failed", "error": "wrong password"}, "failed: wrong password"),
        ({"state": "connected", "clock_suspect": True, "clock_offset": 3600.0}, "its clock is 1 h ahead"),
        ({"state": "connected", "clock_suspect": True, "clock_offset": -30.0}, "its clock is 30.0 s behind"),
        ({"state": "connected", "gaps": [{}, {}]}, "2 open gaps"),
        (
            {"state": "connected", "findings": ["t: declared in degF, mapped in degC"]},
            "t: declared in degF, mapped in degC",
        ),
        ({"state": "connected", "stale": True, "last_row_ns": 0}, "no row yet"),
        ({"state": "connected"}, ""),
    ],
)
def test_what_is_wrong_with_a_source_is_said(entry, change, text):
    assert trouble({**entry, **change}, now_ns=time.time_ns()) == text


def test_states_differ_in_shape_not_in_colour_alone(entry):
    states = [{**entry, "state": state, "stale": False} for state in ("connected", "connecting", "ended", "failed")]
    signs = [state_text(one, running=True)[0] for one in [*states, {**states[0], "stale": True}]]
    signs.append(state_text(states[0], running=False)[0])
    assert len(set(signs)) == 6


def test_rows_are_texts_with_units_and_hold_still(entry):
    late = {
        **entry,
        "state": "connected",
        "received_p50": 0.012,
        "received_p99": 0.5,
        "rate": 1234.5,
        "clock_offset": -0.25,
    }
    rows = source_rows(status(z=late, a=late), now_ns=entry["last_row_ns"] + 5 * SECOND)
    assert list(rows.index) == ["z", "a"]
    assert rows.loc["z"].to_dict() == {
        "state": "● connected", "kind": "replay", "last row": "5 s ago", "rows/s": "1,234.5", "rows": "60",
        "stored after (p50 / p99)": "0.01 / 0.50 s", "open gaps": "0", "lost gaps": "0", "clock": "0.2 s behind", "last error": "–",
    }  # fmt: skip


def test_facts_have_the_load_on_the_peer_and_what_contradicts_the_mapping(entry):
    found = facts(
        {
            **entry,
            "load": {"polls_per_second": 2.0},
            "stream_clocks": {"truck-1": 3600.0},
            "findings": ["x"],
            "error": "y",
        },
        now_ns=time.time_ns(),
    )
    assert ("clock of truck-1", "1 h ahead") in found
    assert {("polls per second", "2"), ("differs from the mapping", "x"), ("last error", "y")} <= set(found)


def test_of_many_gaps_the_newest_are_shown(twin, monkeypatch):
    times = pd.date_range("2026-03-01", periods=450, freq="min")
    many = pd.DataFrame({"source": "depot", "noted": times, "stream": [f"s{n}" for n in range(450)]})
    monkeypatch.setattr(type(twin), "gaps", lambda _self, _source: many)
    view = SourcesView(twin, link=Link(part="depot"))
    shown = view.tables()["gaps"]
    assert list(shown["stream"]) == [f"s{n}" for n in range(449, 249, -1)]
    assert any("the newest 200 of 450" in pane.object for pane in view.__panel__().select(Html))


def test_an_unreadable_status_leaves_the_page_with_a_notice(twin, monkeypatch):
    view = SourcesView(twin)

    def broken():
        msg = "the disk is gone"
        raise OSError(msg)

    monkeypatch.setattr(twin, "live_status", broken)
    view.refresh()
    assert view.notice == "The page may be out of date: the disk is gone"
    assert isinstance(view.data(), pd.DataFrame)


def test_errors_and_findings_of_a_source_are_shown_as_text_not_as_html(twin, entry, monkeypatch):
    script = "<script>alert(1)</script>"
    bad = {**entry, "state": "connecting", "error": script, "findings": [script]}
    monkeypatch.setattr(twin, "live_status", lambda: status(depot=bad, reefers=entry))
    view = SourcesView(twin, link=Link(part="depot"))
    said = " ".join(str(pane.object) for pane in view.__panel__().select(Html))
    assert said.count("&lt;script&gt;alert(1)") == 4
    assert "<script>" not in said
