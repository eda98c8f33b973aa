"""Rules for intrusions: what each finds in lines of a log, what it doesn't, and that it can stop and go on anywhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.events.intrusion.fold import Memory, findings_of
from twinlab.events.intrusion.joined import joined
from twinlab.events.intrusion.records import LogRecord, audit_record, log_records
from twinlab.events.intrusion.registry import INTRUSION_RULES
from twinlab.events.intrusion.rule import Finding, IntrusionRule
from twinlab.events.intrusion.table import security_table
from twinlab.model.intrusion.section import SecurityRule
from twinlab.testing import check_intrusion_rule

MINUTE, HOUR, DAY = 60 * 10**9, 3_600 * 10**9, 86_400 * 10**9
RULES = {name: INTRUSION_RULES.get(name) for name in INTRUSION_RULES.built_in()}


def connected(time: int, user: str = "truck-1", host: str = "10.0.0.1", client: str = "") -> LogRecord:
    return LogRecord(time, "connected", user, host, client or user)


def found(records: list[LogRecord], rule: str, **settings: object) -> list[Finding]:
    return list(findings_of(records, {rule: RULES[rule]}, SecurityRule.model_validate(settings), Memory()))


def test_a_known_certificate_from_a_new_address_is_found_after_the_first_day() -> None:
    usual = [connected(n * HOUR) for n in range(25)]
    (one,) = found([*usual, connected(26 * HOUR, host="10.9.9.9")], "new_client")
    assert (one.subject, one.host, one.start) == ("truck-1", "10.9.9.9", 26 * HOUR)
    assert found([*usual, connected(26 * HOUR, host="10.9.9.9")], "new_client", addresses=["10.9.0.0/16"]) == []
    assert found([*usual, connected(26 * HOUR)], "new_client") == []
    check_intrusion_rule(RULES["new_client"], [*usual, connected(26 * HOUR, host="10.9.9.9")], expected=1)


def test_a_certificate_that_changes_addresses_all_the_time_is_no_news_at_another_one() -> None:
    usual = [connected(n * HOUR, host=f"10.0.0.{n}") for n in range(20)]
    assert found([*usual, connected(26 * HOUR, host="10.9.9.9")], "new_client") == []


def test_a_new_certificate_and_a_new_name_of_a_client_are_found() -> None:
    usual = [connected(0), connected(25 * HOUR)]
    assert len(found([*usual, connected(26 * HOUR, user="truck-9")], "new_client")) == 1
    (one,) = found([*usual, connected(26 * HOUR, client="other")], "new_client")
    assert "'other'" in one.text


def test_two_programs_with_one_certificate_end_each_others_connections() -> None:
    fights = [LogRecord(n * MINUTE, "taken over", "truck-1", client="truck-1") for n in range(3)]
    assert len(found(fights, "shared_certificate")) == 1
    assert (
        found([LogRecord(n * HOUR, "taken over", "truck-1", client="truck-1") for n in range(9)], "shared_certificate")
        == []
    )


def test_many_connections_are_found_and_a_gateway_that_reconnects_is_not() -> None:
    assert found([connected(n * 10 * 10**9) for n in range(40)], "many_connections")
    assert found([connected(n * MINUTE) for n in range(100)], "many_connections") == []


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("no TLS", "certificate_failure"), ("certificate refused", "certificate_failure"), ("publish denied", "access_refused"),
        ("unsigned", "unproven_message"), ("revoked key", "unproven_message"), ("sequence again", "sequence_regression"),
        ("older copy of an outbox", "sequence_regression"), ("new epoch", "epoch_change"), ("command refused", "command_refused"),
    ],
)  # fmt: skip
def test_what_was_refused_is_found_by_its_rule_alone(kind: str, rule: str) -> None:
    record = LogRecord(12 * HOUR, kind, "truck-1", "10.0.0.9", "truck-1", "command/x", "why", 3)
    every = list(findings_of([record], RULES, SecurityRule(), Memory()))
    assert [(one.rule, one.count) for one in every] == [(rule, 3)]
    assert list(findings_of([record], RULES, SecurityRule(off=(rule,)), Memory())) == []


def traffic(minutes: list[int], rows: int) -> list[LogRecord]:
    return [LogRecord(n * MINUTE, "traffic", "truck-1", count=rows) for n in minutes]


def test_a_flood_is_found_and_what_an_outage_left_over_is_not() -> None:
    usual = traffic(list(range(2 * 24 * 60)), 40)
    after = 2 * 24 * 60
    flood = traffic([after], 4_000)
    (one,) = found([*usual, *flood], "rate")
    assert "4,000 rows" in one.text
    # Two hours of silence, then their rows in two minutes.
    assert found([*usual, *traffic([after + 120, after + 121], 2_400)], "rate") == []
    assert len(found([*usual, *traffic([after + 120, after + 121], 24_000)], "rate")) == 2


def test_commands_at_night_are_found_by_local_time_and_stops_are_not() -> None:
    night = LogRecord(3 * HOUR, "command accepted", "Noor", target="forklift/F07.max_speed")
    assert len(found([night], "command_out_of_hours")) == 1
    assert found([night], "command_out_of_hours", zone="Asia/Tokyo") == []
    assert found([night], "command_out_of_hours", hours=["22:00", "06:00"]) == []
    assert found([LogRecord(3 * HOUR, "emergency stop", "Noor")], "command_out_of_hours") == []
    # 1 January 1970 was a Thursday; the shift of the night began on Wednesday.
    assert found([night], "command_out_of_hours", hours=["22:00", "06:00"], days=["wed"]) == []
    assert len(found([night], "command_out_of_hours", hours=["22:00", "06:00"], days=["thu"])) == 1


def test_mistyped_passwords_are_few() -> None:
    logins = [LogRecord(n * MINUTE, "login refused", "noor") for n in range(5)]
    assert len(found(logins, "login_refused")) == 1
    assert found(logins[:4], "login_refused") == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted({kind for rule in RULES.values() for kind in rule.kinds})), st.integers(0, 3 * DAY),
            st.sampled_from(["a", "b", ""]), st.sampled_from(["10.0.0.1", "10.0.0.2", "::1", ""]), st.integers(1, 10_000),
        ),
        max_size=60,
    ),
    st.integers(0, 60),
)  # fmt: skip
def test_a_search_that_stops_anywhere_and_goes_on_finds_the_same(
    rows: list[tuple[str, int, str, str, int]], cut: int
) -> None:
    rows = sorted(rows, key=lambda row: row[1])
    records = [LogRecord(time, kind, user, host, user, "t", "d", count) for kind, time, user, host, count in rows]
    whole = list(findings_of(records, RULES, SecurityRule(), Memory()))
    memory = Memory()
    first = list(findings_of(records[:cut], RULES, SecurityRule(), memory))
    memory = Memory(json.loads(json.dumps(memory.of_rule)))
    second = list(findings_of(records[cut:], RULES, SecurityRule(), memory))
    assert first + second == whole
    events = joined(second, RULES, gap_ns=HOUR, events=joined(first, RULES, gap_ns=HOUR))
    assert events == joined(whole, RULES, gap_ns=HOUR)
    table = security_table(events)
    assert int(table["count"].sum()) == sum(one.count for one in whole)
    assert table["event_id"].is_unique


def test_lines_that_cannot_be_read_are_records_too() -> None:
    kinds = [
        one.kind
        for one in log_records(
            ["{", "[1]", '{"time": "x", "kind": "y"}', "", '{"time": "2026-01-01T00:00:00Z", "kind": "no TLS"}']
        )
    ]
    assert kinds == ["unreadable line"] * 3 + ["no TLS"]


def test_rows_of_the_audit_become_records() -> None:
    at = "1970-01-01T00:00:05+00:00"
    what = {"target": "forklift/F07", "parameter": "max_speed", "reason": "replay"}
    row = audit_record(at, "command refused", ["ann"], what)
    assert row == LogRecord(5 * 10**9, "command refused", "ann", target="forklift/F07.max_speed", detail="replay")
    assert audit_record(at, "read", ["ann"], {"rows": 3}) is None
    assert audit_record(at, "emergency stop", ["ann"], what) is None
    assert audit_record(at, "login refused", ["ann"], {"how": "password", "address": "10.0.0.9:4711"}) == LogRecord(
        5 * 10**9, "login refused", "ann", "10.0.0.9", detail="password"
    )


def test_a_rule_says_what_is_wrong_with_it() -> None:
    assert "see or search" in IntrusionRule("x", "X", "low").fault()
    assert "kinds" in IntrusionRule("x", "X", "low", see=lambda *_: ()).fault()
    assert all(rule.fault() == "" for rule in RULES.values())
