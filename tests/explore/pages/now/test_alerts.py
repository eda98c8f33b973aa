"""Alerts on the page Now: their state in the table, acknowledged and snoozed from its rows; nothing of them without ``alerts:``."""

import pandas as pd
import pytest

import twinlab as tl
from twinlab.explore import NowView
from twinlab.explore.kit.session import Session
from twinlab.testing import FakeTwin

MODEL = """\
twin: cold
origin: 2026-01-01
asset_types:
  room:
    signals: {temperature: {unit: degC, resolution: 0.1, cadence: 10min}}
rules:
  warm: {on: room, when: temperature > 8 degC, lasting: 10min, severity: high}
channels:
  team: {file: {path: no/such/folder.jsonl}}
alerts:
  warm_rooms: {rule: warm, channels: [team]}
"""
MAPPING = """\
source: feed
tables:
- time: {column: time, zone: UTC}
  asset: {type: room, column: room}
  columns: {temp: {signal: temperature}}
"""


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alerts")
    (folder / "twin.yaml").write_text(MODEL)
    twin = tl.create(folder / "twin", model=folder / "twin.yaml")
    (twin.folder / "mapping").mkdir(exist_ok=True)
    (twin.folder / "mapping" / "feed.yaml").write_text(MAPPING)
    twin.reload()
    times = [f"2026-01-05T12:{minute}0" for minute in range(4)]
    rows = [(at, room, value) for room in "AB" for at, value in zip(times, (4, 9, 9, 9), strict=True)]
    with twin.writer("feed") as writer:
        writer.append(pd.DataFrame(rows, columns=["time", "room", "temp"]))
    assert twin.run_alerts(now="2026-01-05T12:40").raised == 2
    return twin


def shown(view):
    return view.table.rows.set_index("asset")["alert"].to_dict()


def test_an_alert_is_new_then_snoozed_then_acknowledged_from_its_row(twin):
    view = NowView(twin, session=Session(user="ada"))
    assert "alert" in view.table.columns
    assert set(shown(view)) == {"A", "B"}
    assert all(text.startswith("● new, not sent: ") for text in shown(view).values())
    view.table._grid.selection = [list(view.table.rows["asset"]).index("A")]
    assert not view._actions.snooze.disabled
    view.snooze(4)
    assert shown(view)["A"].startswith("◔ snoozed until 2")
    assert shown(view)["B"].startswith("● new")
    until = twin.alerts().set_index("asset")["snoozed_until"]
    assert until["A"] > pd.Timestamp.now("UTC").tz_localize(None) + pd.Timedelta(hours=3)
    assert pd.isna(until["B"])
    view.acknowledge()
    assert shown(view)["A"].startswith("✓ acknowledged")
    assert twin.alerts().set_index("asset")["acknowledged"].to_dict() == {"A": True, "B": False}


def test_an_alert_of_another_exception_is_listed_above_the_table(twin):
    view = NowView(twin)
    assert not view._alerts.pane.visible
    view._alerts.texts([])
    assert view._alerts.pane.visible
    others = view._alerts._others
    assert others._list.object.count("<li>") == 2


def test_what_is_behind_another_alert_is_shown_by_its_button(twin):
    view = NowView(twin)
    view._alerts.texts([])
    others = view._alerts._others
    labels = dict(others.chosen.options)
    assert [label.partition(", 2026")[0] for label in labels] == ["warm, A", "warm, B"]
    others.chosen.value = next(key for label, key in labels.items() if label.startswith("warm, B"))
    others.button.clicks += 1
    assert others.lineage.rows["written"].tolist() == ["4", "9", "9", "9"][-len(others.lineage.rows) :]
    assert "warm" in others.lineage.pane[1].object
    # The next refresh keeps the choice and what is shown.
    view._alerts.texts([])
    assert others.chosen.options == labels
    assert others.chosen.value == labels[next(label for label in labels if label.startswith("warm, B"))]
    assert len(others.lineage.pane)
    view._alerts.texts([row["key"] for row in view._alerts._active()])
    assert not others.pane.visible
    assert not len(others.lineage.pane)
    others.explain()
    assert "over" in others.lineage.pane[1].object


def test_a_chosen_instant_has_no_alerts(twin):
    view = NowView(twin)
    view.at = pd.Timestamp("2026-01-05T12:35").to_datetime64()
    assert set(shown(view).values()) == {""}


def test_what_cannot_be_snoozed_is_said(twin):
    view = NowView(twin)
    view.snooze(1)
    assert "has an active alert" in view.notice


def test_a_twin_without_alerts_shows_nothing_of_them():
    view = NowView(FakeTwin.example(days=1, trips=5))
    assert "alert" not in view.table.columns
    assert "alert" not in view._columns._order
    assert view._actions.snooze is None
    assert not view._alerts.pane.visible
