"""Security of a twin: rounds find what is new once, events are an event type and raise alerts, people decide on messages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.sources.live.guarded.quarantine import Quarantine, QuarantineEntry
from twinlab.twin.privacy.recording import PrivacyAudit
from twinlab.twin.security.log_tail import read_tail
from twinlab.twin.security.state import SecurityState

MODEL = """\
twin: site
origin: 2026-01-01
asset_types:
  truck: {signals: {temperature: {unit: degC, resolution: 0.1, cadence: 1min}}}
channels:
  team: {file: {path: sent.jsonl}}
alerts:
  intruder: {security: any, channels: [team]}
  false_topics: {security: access_refused, channels: [team]}
"""
MAPPING = """\
source: trucks
stream: {tags: {'/^(?P<id>\\w+)[/]t$/': {signal: temperature, asset: 'truck/{id}', unit: degC}}}
live: {kind: mqtt, host: 127.0.0.1, port: 1, keys: keys.yaml}
"""
KEYS = """\
people: {}
devices:
  truck-1: {keys: [{public: "KEY"}]}
  truck-2: {keys: [{public: "OLD", revoked: stolen}]}
"""


@pytest.fixture
def twin(tmp_path: Path) -> tl.Twin:
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "trucks.yaml").write_text(MAPPING)
    found = tl.create(tmp_path / "site", model=tmp_path / "twin.yaml", mappings=tmp_path / "trucks.yaml")
    (found.folder / "keys.yaml").write_text(KEYS.replace("KEY", "a" * 64).replace("OLD", "b" * 64))
    return found


def log(twin: tl.Twin, *lines: tuple[str, str]) -> None:
    path = twin.folder / "live" / "security.jsonl"
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as out:
        for time, kind in lines:
            entry = {
                "time": time,
                "kind": kind,
                "address": "10.0.0.9:1",
                "client": "truck-1",
                "user": "truck-1",
                "topic": "x",
                "detail": "d",
            }
            out.write(json.dumps(entry) + "\n")


def test_each_line_is_searched_once_whatever_number_of_rounds(twin: tl.Twin) -> None:
    assert twin.search_intrusions() == 0
    log(twin, ("2026-03-01T12:00:00Z", "publish denied"), ("2026-03-01T12:01:00Z", "publish denied"))
    assert twin.search_intrusions() == 1
    assert twin.search_intrusions() == 1
    log(twin, ("2026-03-01T12:02:00Z", "publish denied"), ("2026-03-01T14:00:00Z", "publish denied"))
    assert tl.open(twin.folder).search_intrusions() == 2
    table = twin.events("security_event")
    assert table["count"].tolist() == [3, 1]
    assert table["start"].tolist() == [pd.Timestamp("2026-03-01T12:00"), pd.Timestamp("2026-03-01T14:00")]
    pd.testing.assert_frame_equal(twin.security_events(), table)
    assert len(twin.events("security_event", start="2026-03-01T13:00")) == 1


def test_a_log_that_was_replaced_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\ntwo\nthr")
    tail = read_tail(path, 0, "")
    assert tail.lines == ("one", "two")
    assert read_tail(path, tail.offset, tail.head).lines == ()
    path.write_text("other lines than before\nfour\n")
    assert read_tail(path, tail.offset, tail.head).lines == ("other lines than before", "four")
    path.unlink()
    assert read_tail(path, 5, "x").lines == ()


def test_a_state_that_cannot_be_read_is_made_again_from_the_logs(twin: tl.Twin) -> None:
    log(twin, ("2026-03-01T12:00:00Z", "no TLS"))
    twin.search_intrusions()
    (twin.folder / "security" / "state.json").write_text("{")
    assert SecurityState.read(twin.folder).events == []
    assert twin.search_intrusions() == 1


def test_a_security_event_raises_its_alerts_once_and_they_end(twin: tl.Twin) -> None:
    log(twin, ("2026-03-01T12:00:00Z", "publish denied"), ("2026-03-01T12:05:00Z", "no TLS"))
    twin.search_intrusions()
    assert twin.run_alerts(now="2026-03-01T12:10").raised == 3
    assert twin.run_alerts(now="2026-03-01T12:20").raised == 0
    active = twin.alerts(state="active")
    assert sorted(active["alert"]) == ["false_topics", "intruder", "intruder"]
    assert set(active["event_type"]) == {"security_event"}
    assert twin.run_alerts(now="2026-03-01T13:00").resolved == 3
    sent = (twin.folder / "sent.jsonl").read_text()
    assert "which isn't its own" in sent


def test_an_alert_of_an_unknown_rule_is_refused(tmp_path: Path) -> None:
    (tmp_path / "twin.yaml").write_text(MODEL.replace("access_refused", "acces_refused"))
    with pytest.raises(UnknownTermError, match="did you mean 'access_refused'"):
        tl.create(tmp_path / "site", model=tmp_path / "twin.yaml")


def test_people_release_and_discard_messages_by_name(twin: tl.Twin) -> None:
    assert twin.quarantine().empty
    entry = QuarantineEntry("", "trucks", "truck-1", "rows", "unsigned", "expected a signature", 0, 0, rows=3)
    quarantine = Quarantine(twin.folder, "trucks")
    quarantine.add(entry, b"1", same=b"1")
    quarantine.add(entry, b"2", same=b"2")
    first, second = twin.quarantine("trucks")["id"]
    twin.release_message(first, by="Noor", note="the truck was new")
    twin.discard_message(second, by="Noor")
    table = twin.quarantine().set_index("id")
    assert table["state"].to_dict() == {first: "released", second: "discarded"}
    assert table.loc[first, ["by", "note"]].tolist() == ["Noor", "the truck was new"]
    with pytest.raises(SchemaError, match="has released"):
        twin.discard_message(first, by="Ada")
    with pytest.raises(UnknownTermError):
        twin.release_message("nothing", by="Ada")
    with pytest.raises(UnknownTermError):
        twin.quarantine("truks")


def test_gateways_are_those_of_the_ring_the_status_and_the_quarantine(twin: tl.Twin) -> None:
    entry = QuarantineEntry("", "trucks", "truck-3", "rows", "unknown key", "w", 0, 0, rows=3)
    Quarantine(twin.folder, "trucks").add(entry, b"1", same=b"1")
    table = twin.gateways().set_index("gateway")
    assert table["key_state"].to_dict() == {"truck-1": "1 valid", "truck-2": "0 valid, 1 revoked", "truck-3": "no key"}
    assert table.loc["truck-3", ["state", "quarantined", "reason"]].tolist() == ["never seen", 1, "unknown key"]
    (twin.folder / "keys.yaml").write_text("people: [")
    assert "keys.yaml" in twin.gateways()["key_state"].iloc[0]


def test_false_values_of_a_sensor_are_found_in_the_history(tmp_path: Path) -> None:
    (tmp_path / "twin.yaml").write_text(
        MODEL.split("channels", maxsplit=1)[0] + "security: {sensors: [truck.temperature], usual: 1d}\n"
    )
    rows = ["time,truck,temperature"]
    times = pd.date_range("2026-03-01", periods=3 * 1440, freq="1min")
    level = np.random.default_rng(0).normal(4, 1, len(times)).round(1).tolist()
    level[3_000:3_600] = [5.0] * 600
    rows += [f"{time:%Y-%m-%dT%H:%MZ},a,{value}" for time, value in zip(times, level, strict=True)]
    (tmp_path / "log.csv").write_text("\n".join(rows))
    (tmp_path / "feed.yaml").write_text(
        "source: feed\ntables:\n- table: '*'\n  time: {column: time, zone: UTC}\n  asset: {type: truck, column: truck}\n"
        "  columns: {temperature: {signal: temperature, unit: degC}}\n"
    )
    twin = tl.create(tmp_path / "site", model=tmp_path / "twin.yaml", mappings=tmp_path / "feed.yaml")
    twin.ingest(tl.sources.csv(tmp_path / "log.csv", name="feed"))
    assert twin.search_intrusions() == 1
    assert twin.search_intrusions() == 1
    (event,) = twin.security_events().to_dict("records")
    assert (event["rule"], event["asset"]) == ("false_sensor", "truck/a")
    assert event["start"] == times[3_000]


def test_refused_commands_and_logins_of_the_audit_are_searched_once_and_decisions_are_in_it(twin: tl.Twin) -> None:
    audit = PrivacyAudit(twin.folder)
    what = {"target": "forklift/F07", "parameter": "max_speed", "reason": "signature doesn't match"}
    audit.append({"kind": "command refused", "who": ["ann"], "what": what})
    assert twin.search_intrusions() >= 1
    first = len(twin.security_events())
    audit.append(
        {
            "kind": "read",
            "who": ["ben"],
            "what": {"asset_type": "driver", "fields": ["name"], "purpose": "pay", "rows": 3},
        }
    )
    assert twin.search_intrusions() == first
    assert "command_refused" in set(twin.security_events()["rule"])
    (read,) = twin.personal_reads().to_dict("records")
    assert (read["who"], read["of"], read["fields"], read["purpose"], read["rows"]) == (
        "ben",
        "driver",
        "name",
        "pay",
        3,
    )
    entry = QuarantineEntry("", "trucks", "truck-1", "rows", "unsigned", "expected a signature", 0, 0, rows=3)
    Quarantine(twin.folder, "trucks").add(entry, b"1", same=b"1")
    (found,) = twin.quarantine()["id"]
    twin.discard_message(found, by="Noor", note="forged")
    with pytest.raises(SchemaError):
        twin.discard_message(found, by="Ada")
    rows = [(row.who, row.what["outcome"], row.what["reason"]) for row in audit.rows("intrusion")]
    assert rows == [(("Noor",), "discarded", "forged")]


def test_an_audit_that_was_edited_is_said_and_the_logs_are_searched_all_the_same(twin: tl.Twin) -> None:
    for _ in range(2):
        PrivacyAudit(twin.folder).append({"kind": "login refused", "who": ["ann"], "what": {"how": "password"}})
    (path,) = [one for one in (twin.folder / "audit").rglob("*") if one.is_file() and b"password" in one.read_bytes()]
    path.write_bytes(path.read_bytes().replace(b"password", b"passw0rd", 1))
    log(twin, ("2026-03-01T12:00:00Z", "no TLS"))
    twin.search_intrusions()
    assert "twinlab audit verify" in SecurityState.read(twin.folder).error
    assert len(twin.security_events()) == 1


def test_a_round_reads_of_the_audit_only_what_is_new(twin: tl.Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    from twinlab.control.audit import chain, tail

    audit, read = PrivacyAudit(twin.folder), []

    def counted(at: chain.Chain, data: bytes, base: int = 0):
        read.append(len(data))
        return chain.take_rows(at, data, base)

    monkeypatch.setattr(tail, "take_rows", counted)
    entry = {"kind": "login refused", "who": ["ann"], "what": {"how": "password"}}
    for _ in range(50):
        audit.append(entry)
    twin.search_intrusions()
    (whole,) = read
    twin.search_intrusions()
    assert read == [whole]
    audit.append(entry)
    # Another process goes on where this one stopped.
    assert tl.open(twin.folder).search_intrusions() >= 1
    assert len(read) == 2
    assert read[1] < whole / 25
    # A state of the version before knows the number of rows only: none is searched again.
    path = twin.folder / "security" / "state.json"
    state = json.loads(path.read_text())
    del state["audit_seen"]
    path.write_text(json.dumps(state))
    before = twin.security_events()
    twin.search_intrusions()
    assert SecurityState.read(twin.folder).audit_seen.count == state["audited"]
    pd.testing.assert_frame_equal(twin.security_events(), before)
