"""Which backups stay."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.twin.backup.people import KeyState, next_state
from twinlab.twin.backup.schedule import Schedule

NS = 10**9
TIMES = st.lists(st.integers(0, 3 * 366 * 86_400).map(lambda second: second * NS), min_size=1, max_size=60, unique=True)
SCHEDULES = st.builds(Schedule, *[st.integers(0, 9)] * 4)


@given(TIMES, SCHEDULES)
def test_the_newest_backup_stays_and_what_stays_was_there(times: list[int], schedule: Schedule) -> None:
    kept = schedule.kept(times)
    assert max(times) in kept
    assert set(kept) <= set(times)
    # What is removed now isn't missed by the next call.
    assert schedule.kept(kept) == kept


@given(TIMES, st.integers(1, 9))
def test_each_day_that_stays_has_its_newest_backup(times: list[int], days: int) -> None:
    def day(time: int) -> str:
        return datetime.fromtimestamp(time / NS, UTC).date().isoformat()

    newest = {day(time): time for time in sorted(times)}
    assert Schedule(days=days).kept(times) == [newest[one] for one in sorted(newest)[-days:]]


def test_a_schedule_of_hours_days_and_weeks_keeps_those() -> None:
    hourly = [hour * 3600 * NS for hour in range(24 * 60)]
    kept = Schedule.parse("3n,7d,4w").kept(hourly)
    assert len([time for time in kept if time >= hourly[-3]]) == 3
    assert len(kept) == 3 + 6 + 3


@pytest.mark.parametrize("text", ["", "7x", "7d,3d", "d", "0n", "-1d", "7d;4w"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(SchemaError, match="expected a schedule such as"):
        Schedule.parse(text)


PERIODS = st.dictionaries(
    st.sampled_from("abcd"), st.sets(st.sampled_from(["01", "02", "03"]), min_size=1).map(sorted).map(tuple)
)


@given(st.lists(PERIODS, max_size=6))
def test_a_key_that_was_there_and_is_gone_stays_destroyed(steps: list[dict[str, tuple[str, ...]]]) -> None:
    state, seen = KeyState(), set()
    for keys in steps:
        state = next_state(state, keys, erased=True, where="pilot.keys")
        now = {(one, period) for one, periods in keys.items() for period in periods}
        gone = {(one, period) for one, periods in state.destroyed.items() for period in periods}
        assert seen - now <= gone
        seen |= now
        assert KeyState.from_json(state.to_json()) == state
