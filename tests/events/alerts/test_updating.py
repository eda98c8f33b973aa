"""Exceptions become alerts: each once, whatever late data change."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from twinlab.events.alerts.due import due
from twinlab.events.alerts.records import AlertChange, AlertRecord, folded
from twinlab.events.alerts.updating import changes, window_start
from twinlab.events.rules.exception_table import exception_rows
from twinlab.model.alerts.alert import Alert
from twinlab.model.rules import Rule

HOUR = 3600 * 10**9
RULE = Rule(on="room", when="temperature > 8")


def spans(*rows: tuple[str, float, float | None]) -> pd.DataFrame:
    """Return exceptions of assets from an hour until another one."""
    since = np.array([int(start * HOUR) for _, start, _ in rows]).astype("datetime64[ns]")
    until = np.array([np.iinfo(np.int64).min if stop is None else int(stop * HOUR) for _, _, stop in rows]).astype(
        "datetime64[ns]"
    )
    return exception_rows(
        {"asset": [one for one, _, _ in rows], "since": since, "until": until, "text": ["warm"] * len(rows)},
        name="warm",
        rule=RULE,
    )


def looked(
    records: dict[str, AlertRecord],
    found: pd.DataFrame,
    now: float,
    alert: Alert,
    last: float | None = None,
    seen: frozenset[str] = frozenset(),
) -> tuple[list[AlertChange], dict[str, AlertRecord]]:
    at = int(now * HOUR)
    low = window_start(records, "warm", alert, None if last is None else int(last * HOUR), at)
    new = changes(records, "warm", alert, found, (low, at), seen)
    return new, folded(new, records)


def kinds(found: list[AlertChange]) -> list[str]:
    return [one.change for one in found]


def test_an_exception_is_raised_once_and_is_over_once() -> None:
    alert = Alert(rule="warm")
    new, records = looked({}, spans(("a", 1, None)), 2, alert)
    assert kinds(new) == ["raised"]
    new, records = looked(records, spans(("a", 1, None)), 3, alert, 2)
    assert new == []
    new, records = looked(records, spans(("a", 1, 3.5)), 4, alert, 3)
    assert kinds(new) == ["resolved"]
    assert looked(records, spans(("a", 1, 3.5)), 5, alert, 4)[0] == []


def test_one_that_began_and_ended_between_two_looks_is_both() -> None:
    new, records = looked({}, spans(("a", 1, 2)), 3, Alert(rule="warm"), 0)
    assert kinds(new) == ["raised", "resolved"]
    assert [one.until for one in records.values()] == [2 * HOUR]


def test_late_data_move_withdraw_and_bring_back_an_alert_without_raising_another() -> None:
    alert = Alert(rule="warm")
    _, records = looked({}, spans(("a", 2, None)), 3, alert)
    new, records = looked(records, spans(("a", 1, None)), 4, alert, 3)
    assert kinds(new) == ["moved"]
    (one,) = records.values()
    assert (one.since, one.moved, one.id) == (HOUR, 1, "warm/a/1970-01-01T02:00:00")
    new, records = looked(records, spans(), 5, alert, 4)
    assert kinds(new) == ["withdrawn"]
    new, records = looked(records, spans(("a", 1, None)), 6, alert, 5)
    assert kinds(new) == ["reopened"]
    assert [(one.state, one.withdrawn) for one in records.values()] == [("active", None)]


def test_an_exception_that_is_split_leaves_one_alert_and_raises_the_other_part() -> None:
    alert = Alert(rule="warm")
    _, records = looked({}, spans(("a", 1, 5)), 6, alert)
    new, records = looked(records, spans(("a", 1, 2), ("a", 4, 5)), 7, alert, 6)
    assert kinds(new) == ["resolved", "raised", "resolved"]
    assert sorted((one.since // HOUR, one.until // HOUR) for one in records.values()) == [(1, 2), (4, 5)]


def test_within_the_cooldown_it_is_the_same_alert() -> None:
    alert = Alert(rule="warm", cooldown="2h")
    _, records = looked({}, spans(("a", 1, 2)), 2.5, alert)
    new, records = looked(records, spans(("a", 1, 2), ("a", 3, None)), 4, alert, 2.5)
    assert kinds(new) == ["reopened"]
    new, records = looked(records, spans(("a", 1, 2), ("a", 3, 3.5)), 4, alert, 4)
    assert kinds(new) == ["resolved"]
    new, records = looked(records, spans(("a", 1, 2), ("a", 3, 3.5), ("a", 6, None)), 7, alert, 4)
    assert kinds(new) == ["raised"]


def test_it_is_escalated_unless_acknowledged_or_snoozed() -> None:
    alert = Alert.model_validate(
        {"rule": "warm", "channels": ["team"], "escalate": [{"after": "1h", "channels": ["boss"]}]}
    )
    _, records = looked({}, spans(("a", 1, None)), 2, alert)
    (one,) = records.values()
    assert looked(records, spans(("a", 1, None)), 2.5, alert, 2)[0] == []
    assert looked(records, spans(("a", 1, None)), 4, alert, 2, frozenset({one.key}))[0] == []
    asleep = folded([AlertChange(one.id, "warm", "snoozed", 0, row={"until": 5 * HOUR})], records)
    assert looked(asleep, spans(("a", 1, None)), 4, alert, 2)[0] == []
    assert not list(due(asleep.values(), {"warm": alert}, 4 * HOUR))
    new, records = looked(asleep, spans(("a", 1, None)), 5, alert, 4)
    assert kinds(new) == ["escalated"]
    messages = [(one.channel, one.reason) for one in due(records.values(), {"warm": alert}, 5 * HOUR)]
    assert messages == [("team", "raised"), ("boss", "escalated 1")]


def test_what_was_sent_is_not_sent_again_and_everyone_told_hears_that_it_is_over() -> None:
    alert = Alert.model_validate(
        {"rule": "warm", "channels": ["team"], "escalate": [{"after": "1h", "channels": ["boss"]}]}
    )
    _, records = looked({}, spans(("a", 1, None)), 2, alert)
    (one,) = records.values()
    sent = [
        AlertChange(one.id, "warm", "sent", 0, row={"channel": c, "reason": r})
        for c, r in (("team", "raised"), ("boss", "escalated 1"))
    ]
    records = folded(sent, records)
    assert not list(due(records.values(), {"warm": alert}, 3 * HOUR))
    _, records = looked(records, spans(("a", 1, 3)), 4, alert, 2)
    assert [(one.channel, one.reason) for one in due(records.values(), {"warm": alert}, 4 * HOUR)] == [
        ("boss", "resolved"),
        ("team", "resolved"),
    ]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.integers(1, 5)), max_size=8),
    st.lists(st.integers(1, 60), min_size=1, max_size=8),
)
def test_however_often_somebody_looks_the_alerts_are_the_exceptions(
    rows: list[tuple[str, int, int]], looks: list[int]
) -> None:
    taken: dict[str, int] = {}
    truth = []
    for asset, start, length in sorted(rows, key=lambda one: one[1]):
        if start > taken.get(asset, -1):
            truth.append((asset, start, start + length))
            taken[asset] = start + length
    records: dict[str, AlertRecord] = {}
    last = None
    alert = Alert(rule="warm", look_back="30h")
    for now in sorted({*looks, 70}):
        seen = [(a, s, e if e < now else None) for a, s, e in truth if s < now]
        low = window_start(records, "warm", alert, None if last is None else last * HOUR, now * HOUR)
        seen = [one for one in seen if one[2] is None or one[2] * HOUR > low]
        _, records = looked(records, spans(*seen), now, alert, last)
        last = now
    found = sorted((one.group[1], one.since // HOUR, one.until // HOUR) for one in records.values())
    missed = [one for one in truth if one not in found]
    assert [one for one in found if one not in truth] == []
    # Only those that were over long before the first look.
    assert all(stop <= min({*looks, 70}) - 30 for _, _, stop in missed)
    assert {one.state for one in records.values()} <= {"resolved"}
