"""The Security page: what tables mean in words, the page on a twin, and a decision on a message."""

import asyncio
import json

import pandas as pd
import pytest

import twinlab as tl
from twinlab.explore import PAGES
from twinlab.explore.kit.link import Link
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.session import Session
from twinlab.explore.pages.security.page import SecurityView
from twinlab.explore.pages.security.texts import event_rows, gateway_rows, message_rows, verdict
from twinlab.explore.pages.security.twins import has_security
from twinlab.sources.live.guarded.quarantine import Quarantine, QuarantineEntry
from twinlab.testing import FakeTwin, check_page
from twinlab.twin.privacy.recording import PrivacyAudit

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")

MODEL = """
twin: site
origin: 2026-01-01
purposes: {planning: {description: Plans of routes, legal_basis: contract}}
privacy: {release: {budget: 2}}
asset_types:
  truck: {signals: {temperature: {unit: degC, resolution: 0.1, cadence: 1min}}}
"""
FEED = """
source: trucks
stream: {tags: {'/^(?P<id>\\w+)[/]t$/': {signal: temperature, asset: 'truck/{id}', unit: degC}}}
live: {kind: mqtt, host: 127.0.0.1, port: 1, keys: keys.yaml}
"""
SCRIPT = "<script>alert(1)</script>"


def make_twin(folder, lines=()):
    (folder / "twin.yaml").write_text(MODEL)
    (folder / "trucks.yaml").write_text(FEED)
    made = tl.create(folder / "site", model=folder / "twin.yaml", mappings=folder / "trucks.yaml")
    keys = {"people": {}, "devices": {"truck-1": {"keys": [{"public": "a" * 64}]}}}
    (made.folder / "keys.yaml").write_text(json.dumps(keys))
    log = made.folder / "live" / "security.jsonl"
    log.parent.mkdir(exist_ok=True)
    now = pd.Timestamp.now("UTC")
    for hours, kind, user, detail in lines:
        time = f"{now - pd.Timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"
        entry = {
            "time": time,
            "kind": kind,
            "address": "10.0.0.9:1",
            "client": user,
            "user": user,
            "topic": "command/x",
            "detail": detail,
        }
        with log.open("a") as out:
            out.write(json.dumps(entry) + "\n")
    made.search_intrusions()
    return made


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    lines = [
        (200, "no TLS", "scanner", "wrong version number"), (30, "new epoch", "truck-2", "epoch 2 follows 1"),
        (2, "publish denied", "truck-1", SCRIPT), (1, "unknown key", "truck-7", "expected a key of 'truck-7'"),
    ]  # fmt: skip
    return make_twin(tmp_path_factory.mktemp("security"), lines)


@pytest.fixture
def quarantined(twin):
    quarantine = Quarantine(twin.folder, "trucks")
    entry = QuarantineEntry(
        "", "trucks", "truck-7", "rows", "unknown key", f"expected a key, got {SCRIPT}", 0, 0, first=1, rows=30
    )
    name = str(pd.Timestamp.now().value)
    quarantine.add(entry, name.encode(), same=name.encode())
    return quarantine.entries()[0].id


def test_the_page_conforms_and_a_twin_with_nothing_to_secure_has_none(twin):
    check_page(PAGES.get("security"), twin=twin)
    assert PAGES.get("security").roles == ("security",)
    assert not has_security(FakeTwin.example(days=1, trips=1))


def test_events_are_shown_newest_first_by_span_and_severity(twin):
    view = SecurityView(twin)
    shown = view.tables()["security events"]
    assert list(shown["who or what"]) == ["truck-7", "truck-1", "truck-2"]
    view.severity = "high"
    assert list(view.tables()["security events"]["severity"]) == ["▲ high", "▲ high"]
    view.param.update(severity="all", span="all")
    assert len(view.tables()["security events"]) == 4
    assert view.link() == Link(within="all")


def test_a_chosen_event_shows_its_evidence_as_text_and_is_in_the_link(twin):
    view = SecurityView(twin)
    view._events._grid.selection = [1]
    assert view.link().part == view.tables()["security events"].index[1]
    said = " ".join(str(pane.object) for pane in view.__panel__().select(Html))
    assert "isn&#39;t its own" in said
    assert "&lt;script&gt;" in said
    assert "<script>" not in said
    again = SecurityView(twin, link=view.link())
    assert again.event == view.event
    view._events._grid.selection = []
    assert view.link().part is None


def test_a_wrong_choice_in_a_link_is_a_notice(twin):
    view = SecurityView(twin, link=Link(within="7 dys"))
    assert "7 days" in view.notice
    assert view.span == "7 days"


def test_a_message_is_released_by_the_user_who_has_logged_in(twin, quarantined):
    view = SecurityView(twin, session=Session(user="noor"))
    rows = view.tables()["quarantine"]
    assert rows.loc[quarantined, ["state", "rows"]].tolist() == ["▲ waits", "30 from 1"]
    view._messages._grid.selection = [list(rows.index).index(quarantined)]
    assert view._deciding._fields.visible
    assert view._deciding.by.disabled
    asyncio.run(view._deciding._release())
    assert "who decides and why" in view._deciding.line.object
    view._deciding.note.value = "the truck is new"
    asyncio.run(view._deciding._release())
    assert "Released by noor" in view._deciding.line.object
    table = twin.quarantine().set_index("id")
    assert table.loc[quarantined, ["state", "by", "note"]].tolist() == ["released", "noor", "the truck is new"]
    view._messages._grid.selection = [list(view.tables()["quarantine"].index).index(quarantined)]
    assert not view._deciding._fields.visible


def test_a_decision_that_somebody_else_took_first_is_said(twin, quarantined):
    view = SecurityView(twin, session=Session(user="noor"))
    view._messages._grid.selection = [list(view.tables()["quarantine"].index).index(quarantined)]
    twin.discard_message(quarantined, by="ada", note="forged")
    view._deciding.note.value = "fine"
    asyncio.run(view._deciding._release())
    assert "ada" in view._deciding.line.object
    assert "alert" in view._deciding.line.object


def test_the_privacy_budget_of_each_purpose_is_shown(tmp_path):
    twin = make_twin(tmp_path)
    what = {"id": "1", "purpose": "planning", "epsilon": 1.75, "outcome": "charged"}
    PrivacyAudit(twin.folder).append({"kind": "release", "who": ["ada"], "what": what})
    view = SecurityView(twin)
    shown = view.tables()["privacy budget"].to_dict("records")
    assert shown == [
        {"state": "■ nearly used up", "purpose": "planning", "spent": "1.75", "left": "0.25", "budget": "2"}
    ]
    assert view.tables()["personal data"]["who"].tolist() == ["ada"]


def test_a_twin_without_events_says_so(tmp_path):
    view = SecurityView(make_twin(tmp_path))
    assert set(view.tables()) == {"gateways", "privacy budget"}
    said = " ".join(str(pane.object) for pane in view.__panel__().select(Html))
    assert "No security event in the last 24 hours" in said
    assert "No message is in quarantine" in said


def test_a_twin_without_security_events_says_what_they_come_with():
    view = SecurityView(FakeTwin.example(days=1, trips=1))
    said = " ".join(str(pane.object) for pane in view.__panel__().select(Html))
    assert "This twin has no security events" in said
    assert "a source of the kind mqtt" in said
    view.severity = "high"
    view.refresh()
    assert view.data() is None and view.tables() == {} and view.notice == ""


def test_an_unreadable_audit_is_an_error_with_a_way_on(tmp_path, monkeypatch):
    twin = make_twin(tmp_path)

    def broken(**_):
        msg = "row 3 doesn't follow row 2; run: twinlab audit verify"
        raise tl.errors.CorruptionError(msg)

    monkeypatch.setattr(twin, "personal_reads", broken)
    view = SecurityView(twin)
    said = " ".join(str(pane.object) for pane in view.__panel__().select(Html))
    assert "twinlab audit verify" in said
    monkeypatch.undo()
    view.refresh()
    assert view.data() is not None
    monkeypatch.setattr(twin, "personal_reads", broken)
    view.refresh()
    assert "may be out of date" in view.notice


def test_the_verdict_counts_what_waits(twin):
    now = pd.Timestamp.now("UTC").tz_localize(None)
    events, messages, gateways = twin.security_events(), twin.quarantine(), twin.gateways()
    found = verdict(events, messages.iloc[:0], gateways, now=now)
    assert (found.good, found.head) == (False, "2 security events in the last 24 hours, 2 of high severity")
    assert found.detail == "Nothing waits for a decision."
    assert verdict(events.iloc[:0], messages.iloc[:0], gateways, now=now).good
    rows = gateway_rows(gateways, now=now)
    assert rows.loc[rows["gateway"] == "truck-1", ["keys", "last message", "signed"]].to_numpy().tolist() == [
        ["1 valid", "never", "–"]
    ]
    assert message_rows(messages.iloc[:0]).empty
    assert event_rows(events.iloc[:0], span="all", severity="all", now=now).empty
