"""Pools: results in order, bounded work, errors that say where, and what ends when a caller stops."""

import threading
import time

import pytest

from twinlab.compute import Handle, pool_of
from twinlab.compute.pool import Call
from twinlab.errors import SchemaError


def refuse(number):
    msg = f"no {number}"
    raise SchemaError(msg)


@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_order_or_as_they_are_done(workers):
    calls = [Call(divmod, (number, 7), f"{number}") for number in range(40)]
    with pool_of(workers=workers) as pool:
        assert list(pool.in_order(calls)) == [divmod(number, 7) for number in range(40)]
        assert dict(pool.as_completed(enumerate(calls))) == {number: divmod(number, 7) for number in range(40)}
        assert list(pool.in_order([])) == []


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_names_the_part(workers):
    with pool_of(workers=workers) as pool, pytest.raises(SchemaError, match="no 4") as caught:
        list(pool.in_order([Call(refuse, (4,), "rooms, March")]))
    assert caught.value.__notes__ == ["In the part rooms, March."]


def test_no_more_is_begun_than_twice_the_threads_beyond_what_was_taken():
    begun = []
    with pool_of(workers=2) as pool:
        results = pool.in_order(Call(begun.append, (number,)) for number in range(100))
        for taken in range(1, 11):
            next(results)
            time.sleep(0.001)
            assert len(begun) <= taken + pool.ahead
        results.close()
    assert len(begun) <= 10 + 4


def test_calls_that_wait_are_withdrawn_when_the_caller_stops():
    go, begun = threading.Event(), []

    def wait(number):
        begun.append(number)
        go.wait(10)

    with pytest.raises(KeyboardInterrupt), pool_of(workers=2) as pool:
        waiting = [pool.submit(wait, number) for number in range(20)]
        go.set()
        raise KeyboardInterrupt
    assert len(begun) < 20
    assert sum(one.cancelled() for one in waiting) == 20 - len(begun)


@pytest.mark.parametrize("workers", [0, -1, "two"])
def test_a_number_of_threads_that_is_none_is_refused(workers):
    with pytest.raises(SchemaError, match="number of threads"), pool_of(workers=workers):
        pass


def test_something_else_than_a_client_is_refused(need):
    need("distributed")
    with pytest.raises(SchemaError, match=r"expected client= as a distributed.Client, got 4"), pool_of(4):
        pass


def test_a_handle_opens_a_reader_once_a_thread():
    opened = []

    class Reader:
        def opening(self):
            from twinlab.compute.handles import Opening

            return Opening(lambda name: opened.append(name) or [name], ("a",))

    handle = Handle.of(Reader())
    assert handle.open() is handle.open()
    other = []
    thread = threading.Thread(target=lambda: other.append(handle.open()))
    thread.start()
    thread.join()
    assert other[0] is not handle.open()
    assert opened == ["a", "a"]
