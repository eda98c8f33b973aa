"""Variables of a Dataset that are fetched before they are asked for."""

from __future__ import annotations

import time
from threading import Lock

import numpy as np
import pytest
from numpy.typing import NDArray

from twinlab.history.remote.read_ahead import ReadAhead

COLUMNS = np.arange(3)


class _Variable:
    """A variable whose answers take a while."""

    def __init__(self, number: int, log: list[int], lock: Lock) -> None:
        self.number, self.log, self.lock = number, log, lock

    def rectangle(self, first: int, stop: int, columns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return numbers that name the variable and the cell."""
        with self.lock:
            self.log.append(self.number)
        time.sleep(0.02)
        return self.number * 1000 + np.arange(first, stop)[:, None] + columns * 10


def variables(count: int) -> tuple[dict[object, _Variable], list[int]]:
    log: list[int] = []
    lock = Lock()
    return {n: _Variable(n, log, lock) for n in range(count)}, log


def test_one_variable_alone_fetches_no_other() -> None:
    made, log = variables(10)
    ahead = ReadAhead(made)
    for first in range(3):
        assert (ahead.read(4, first, first + 5, COLUMNS) == made[4].rectangle(first, first + 5, COLUMNS)).all()
    time.sleep(0.05)
    assert set(log) == {4}


def test_all_variables_in_any_order_are_fetched_once_and_at_the_same_time() -> None:
    made, log = variables(40)
    ahead = ReadAhead(made)
    order = np.random.default_rng(1).permutation(40).tolist()
    began = time.perf_counter()
    found = {n: ahead.read(n, 2, 9, COLUMNS) for n in order}
    took = time.perf_counter() - began
    assert sorted(log) == list(range(40))
    # One after the other they take 0.8 s.
    assert took < 0.5
    for n, data in found.items():
        assert data[0, 0] == 1000 * n + 2


def test_what_is_fetched_in_vain_is_at_most_twice_what_was_asked_for() -> None:
    for asked in range(1, 8):
        made, log = variables(100)
        ahead = ReadAhead(made)
        for n in range(asked):
            ahead.read(n, 0, 5, COLUMNS)
        time.sleep(0.05)
        assert len(log) - asked <= 2 * (asked - 1)


def test_a_large_rectangle_fetches_nothing_ahead() -> None:
    made, log = variables(3)
    ahead = ReadAhead(made)
    for n in (0, 1):
        ahead.read(n, 0, 2**17, COLUMNS)
    time.sleep(0.03)
    assert log == [0, 1]


def test_an_error_of_a_variable_is_raised_where_it_is_asked_for() -> None:
    made, _ = variables(3)
    made[2].number = None
    ahead = ReadAhead(made)
    ahead.read(0, 0, 5, COLUMNS)
    ahead.read(1, 0, 5, COLUMNS)
    with pytest.raises(TypeError):
        ahead.read(2, 0, 5, COLUMNS)
