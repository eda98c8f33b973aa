"""Alerts of a twin: raised once, sent, acknowledged, and withdrawn by late rows."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import SchemaError, UnknownTermError

MODEL = """\
twin: cold
origin: 2026-01-01
asset_types:
  room:
    signals: {temperature: {unit: degC, resolution: 0.1, cadence: 10min}}
rules:
  warm: {on: room, when: temperature > 8 degC, lasting: 10min, severity: high}
channels:
  team: {file: {path: sent.jsonl}}
  boss: {file: {path: no/such/folder.jsonl}}
alerts:
  warm_rooms: {rule: warm, channels: [team], escalate: [{after: 1h, channels: [boss]}]}
"""
MAPPING = """\
source: feed
tables:
- time: {column: time, zone: UTC}
  asset: {type: room, column: room}
  columns: {temp: {signal: temperature}}
"""


@pytest.fixture
def twin(tmp_path: Path) -> tl.Twin:
    """A twin without rows."""
    (tmp_path / "twin.yaml").write_text(MODEL)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml")
    (twin.folder / "mapping").mkdir(exist_ok=True)
    (twin.folder / "mapping" / "feed.yaml").write_text(MAPPING)
    twin.reload()
    return twin


def rows(twin: tl.Twin, *temperatures: tuple[str, float]) -> None:
    """Append rows of room A at times of 5 January."""
    frame = pd.DataFrame(
        {"time": [f"2026-01-05T{at}" for at, _ in temperatures], "room": "A", "temp": [t for _, t in temperatures]}
    )
    with twin.writer("feed") as writer:
        writer.append(frame)


def sent(twin: tl.Twin) -> list[tuple[str, str]]:
    path = twin.folder / "sent.jsonl"
    return (
        [(one["reason"], one["asset"]) for one in map(json.loads, path.read_text().splitlines())]
        if path.exists()
        else []
    )


def test_an_alert_is_raised_sent_and_over(twin: tl.Twin) -> None:
    rows(twin, ("12:00", 4), ("12:10", 9), ("12:20", 9), ("12:30", 9))
    first = twin.run_alerts(now="2026-01-05T12:40")
    assert (first.raised, first.sent) == (1, 1)
    again = twin.run_alerts(now="2026-01-05T12:41")
    assert (again.raised, again.sent) == (0, 0)
    assert str(twin.alerts().loc[0, "since"]) == "2026-01-05 12:10:00"
    rows(twin, ("12:40", 4), ("12:50", 4))
    assert twin.run_alerts(now="2026-01-05T13:00").resolved == 1
    assert sent(twin) == [("raised", "A"), ("resolved", "A")]
    assert tl.open(twin.folder).alerts()["state"].tolist() == ["resolved"]


def test_late_rows_withdraw_an_alert(twin: tl.Twin) -> None:
    rows(twin, ("12:00", 9), ("12:30", 9))
    assert twin.run_alerts(now="2026-01-05T12:40").raised == 1
    rows(twin, ("12:10", 4), ("12:20", 4), ("12:30", 4), ("12:00", 4))
    round_ = twin.run_alerts(now="2026-01-05T12:50")
    assert round_.withdrawn == 1
    assert twin.alerts(state="withdrawn")["asset"].tolist() == ["A"]


def test_what_cannot_be_sent_is_said_and_tried_again(twin: tl.Twin) -> None:
    rows(twin, ("12:00", 9), ("12:20", 9), ("12:30", 9))
    twin.run_alerts(now="2026-01-05T12:40")
    rows(twin, ("13:00", 9), ("13:30", 9))
    late = twin.run_alerts(now="2026-01-05T13:45")
    assert "channel 'boss'" in str(late)
    failed = twin.alerts().loc[0, "failed"]
    assert "folder.jsonl" in failed
    assert (failed.count("boss"), str(late).count("boss")) == (1, 1)
    (twin.folder / "no" / "such").mkdir(parents=True)
    assert twin.run_alerts(now="2026-01-05T13:46").sent == 1
    assert twin.alerts().loc[0, "failed"] == ""


def test_an_acknowledged_alert_is_not_escalated_and_a_snoozed_one_waits(twin: tl.Twin) -> None:
    rows(twin, ("12:00", 9), ("12:20", 9), ("12:30", 9), ("13:00", 9), ("13:40", 9))
    twin.run_alerts(now="2026-01-05T12:40")
    (id_,) = twin.alerts()["id"]
    twin.snooze_alert(id_, until="2026-01-05T14:00", author="ann")
    assert not twin.run_alerts(now="2026-01-05T13:50").failed
    twin.acknowledge_alert(id_, author="ann", note="door repaired")
    assert not twin.run_alerts(now="2026-01-05T14:10").failed
    assert twin.notes()["note"].tolist() == ["door repaired"]
    assert twin.alerts().loc[0, "acknowledged"]
    with pytest.raises(UnknownTermError, match="column `id`"):
        twin.acknowledge_alert("warm/B/1", author="ann")
    with pytest.raises(SchemaError, match="who snoozes"):
        twin.snooze_alert(id_, until="2026-01-05T14:00", author=" ")


def test_a_replay_tells_what_would_have_been_raised_and_what_later_rows_withdrew(twin: tl.Twin) -> None:
    # The mapping applies from its first publication on.
    rows(twin, ("00:00", 4))
    began = pd.Timestamp.now("UTC").tz_localize(None)
    hours = began.floor("10min") - pd.Timedelta("2h")

    def rows_of(values: dict[int, float]) -> pd.DataFrame:
        times = [(hours + k * pd.Timedelta("10min")).isoformat() for k in values]
        return pd.DataFrame({"time": times, "room": "A", "temp": list(values.values())})

    with twin.writer("feed") as writer:
        writer.append(rows_of({0: 9.0, 1: 9.0, 2: 9.0}))
        # Long enough for somebody to look in between.
        time.sleep(0.3)
        middle = pd.Timestamp.now("UTC").tz_localize(None)
        writer.append(rows_of({0: 4.0, 1: 4.0, 2: 4.0}))
    after = pd.Timestamp.now("UTC").tz_localize(None) + pd.Timedelta("200ms")
    found = twin.replay_alerts("warm", began, after, every="100ms")
    assert found["state"].tolist() == ["withdrawn"]
    assert found["noted"][0] >= began - pd.Timedelta("1s")
    assert found["withdrawn"][0] >= middle - pd.Timedelta("1s")
    assert twin.alerts().empty
    with pytest.raises(UnknownTermError, match="alert or rule"):
        twin.replay_alerts("wrm", began, after)
    with pytest.raises(SchemaError, match="look less often"):
        twin.replay_alerts("warm", "2026-01-01", "2026-02-01", every="1s")


def test_an_alert_of_an_unknown_rule_or_channel_is_refused(tmp_path: Path) -> None:
    (tmp_path / "twin.yaml").write_text(
        MODEL.replace("rule: warm,", "rule: wrm,").replace("channels: [team]", "channels: [teem]")
    )
    with pytest.raises(UnknownTermError, match=r"(?s)there is no rule 'wrm'.*there is no channel 'teem'"):
        tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml")


def test_a_kpi_that_misses_its_target_is_an_alert_once_its_window_is_settled(tmp_path: Path) -> None:
    kpis = "kpis:\n  cold: {on: room, formula: time_share(temperature <= 8 degC), unit: '%', period: 1h, target: '>= 90 %'}\n"
    alerts = "alerts:\n  cold_rooms: {kpi: cold, by: asset, severity: high, channels: [team]}\n"
    (tmp_path / "twin.yaml").write_text(MODEL[: MODEL.index("alerts:")] + kpis + alerts)
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml")
    (twin.folder / "mapping").mkdir(exist_ok=True)
    (twin.folder / "mapping" / "feed.yaml").write_text(MAPPING)
    twin.reload()
    warm = [(f"{hour}:{minute:02}", 9 if hour == 12 else 4) for hour in (11, 12, 13) for minute in range(0, 60, 10)]
    rows(twin, *warm)
    assert twin.run_alerts(now="2026-01-05T12:50").raised == 0
    rows(twin, *((f"14:{minute:02}", 4.0) for minute in range(0, 60, 10)))
    twin.run_alerts(now="2026-01-05T15:00")
    (one,) = twin.alerts().to_dict("records")
    assert (one["asset"], one["value"], one["limit"], one["unit"], one["state"]) == ("A", 0.0, 90.0, "%", "resolved")
    assert (str(one["since"]), str(one["until"])) == ("2026-01-05 12:00:00", "2026-01-05 13:00:00")
    assert "target >= 90 %" in one["text"]
    value = twin.kpi("cold", by="asset", start="2026-01-05T12:00", stop="2026-01-05T13:00").value.item()
    assert value == one["value"]


def test_an_event_of_a_finder_is_an_alert(tmp_path: Path) -> None:
    finder = "events:\n  hot: {on: room, when: temperature > 8 degC, lasting: 20min, title: Hot room}\n"
    (tmp_path / "twin.yaml").write_text(
        MODEL[: MODEL.index("alerts:")] + finder + "alerts:\n  hot_rooms: {finder: hot, channels: [team]}\n"
    )
    twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml")
    (twin.folder / "mapping").mkdir(exist_ok=True)
    (twin.folder / "mapping" / "feed.yaml").write_text(MAPPING)
    twin.reload()
    rows(twin, ("12:00", 9), ("12:10", 9), ("12:20", 9), ("12:30", 4))
    assert twin.run_alerts(now="2026-01-05T12:40").raised == 1
    (one,) = twin.alerts().to_dict("records")
    assert (one["title"], one["asset"], one["state"]) == ("Hot room", "A", "resolved")
    assert one["since"] == twin.events("hot")["start"][0]
    assert twin.why(twin.alerts().iloc[0]).rows["row"].size == 3
