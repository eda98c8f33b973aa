"""The cache of what was read: how long an entry is valid."""

import threading

import pytest

from twinlab.explore.kit.cache import ReadCache
from twinlab.explore.kit.session import Shared
from twinlab.testing import FakeTwin


class Moving:
    """A twin that tells its position."""

    def __init__(self):
        self.at = 0

    def position(self):
        return self.at


class Still:
    """A twin that doesn't."""


@pytest.fixture
def now():
    return [0.0]


def reads(kept, key="a", *, into):
    return kept.get(key, lambda: into.append(key) or len(into))


def test_it_is_read_again_once_the_twin_has_moved_and_a_minute_is_over(now):
    twin, read = Moving(), []
    kept = ReadCache(twin, clock=lambda: now[0])
    assert [reads(kept, into=read), reads(kept, into=read)] == [1, 1]
    now[0] = 61.0
    assert kept.ready("a") and reads(kept, into=read) == 1
    twin.at = 1
    assert reads(kept, into=read) == 1
    now[0] = 200.0
    assert not kept.ready("a") and reads(kept, into=read) == 2


def test_of_a_twin_that_doesnt_tell_its_position_it_is_read_again_each_minute(now):
    read, kept = [], ReadCache(Still(), clock=lambda: now[0])
    reads(kept, into=read)
    now[0] = 59.0
    assert reads(kept, into=read) == 1
    now[0] = 60.0
    assert reads(kept, into=read) == 2


def test_what_came_while_it_was_read_is_read_the_next_time(now):
    twin = Moving()
    kept = ReadCache(twin, clock=lambda: now[0])

    def while_it_moves():
        twin.at += 1
        return twin.at

    assert kept.get("a", while_it_moves) == 1
    now[0] = 61.0
    assert not kept.ready("a")


def test_no_more_is_kept_than_may_be_and_what_was_asked_for_last_stays(now):
    read, kept = [], ReadCache(Moving(), clock=lambda: now[0], max_entries=3)
    for key in ("a", "b", "c", "a", "d"):
        reads(kept, key, into=read)
    assert len(kept) == 3
    assert [kept.ready(key) for key in ("a", "b", "c", "d")] == [True, False, True, True]


def test_a_failed_read_keeps_nothing(now):
    kept = ReadCache(Moving(), clock=lambda: now[0])
    with pytest.raises(OSError, match="gone"):
        kept.get("a", lambda: (_ for _ in ()).throw(OSError("the disk is gone")))
    assert not kept.ready("a")
    assert kept.get("a", lambda: None) is None and kept.ready("a")


def test_who_finds_it_read_doesnt_wait_for_what_another_reads(now):
    kept = ReadCache(Moving(), clock=lambda: now[0])
    kept.get("a", lambda: 1)
    began, go_on = threading.Event(), threading.Event()
    slow = threading.Thread(target=kept.get, args=("b", lambda: began.set() or go_on.wait(20)))
    slow.start()
    assert began.wait(20)
    assert kept.get("a", lambda: 2) == 1
    go_on.set()
    slow.join(20)
    assert kept.ready("b")


def test_the_old_name_of_cached_still_works_and_warns():
    shared = Shared(FakeTwin.example(days=1, trips=1))
    with pytest.warns(DeprecationWarning, match="Shared.cached"):
        assert shared.kept("key", lambda: 1) == 1
    assert shared.cached("key", lambda: 2) == 1
