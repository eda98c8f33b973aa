"""Processes that write one twin in a store are killed, frozen and cut off; nothing is lost, repeated or wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
import store_kills
from s3_server import Proxy
from store_writer import batch

import twinlab as tl


def rows_of(source: str, url: str) -> list[int]:
    """Return the numbers of the rows of a source, in order."""
    far = tl.open(url)
    start = store_kills.START.astype(np.int64)
    times = [frame.batch().column("source_time").to_numpy() for frame in far.ledger.reader(source).frames()]
    return ((np.concatenate(times) - start) // 1_000_000_000).tolist()


def test_a_frozen_writer_that_wakes_stores_nothing(network: Proxy, place: str, tmp_path: Path) -> None:
    store_kills.first_push(tmp_path, place)
    script = Path(__file__).with_name("store_writer.py")
    other = subprocess.Popen(
        [sys.executable, str(script), place, "a", "1000000", "10"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    assert other.stdout is not None
    assert other.stderr is not None
    next(line for line in other.stdout if line[0].isdigit())
    other.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    with tl.open(place).writer("a", standby=True) as writer:
        at = writer.offsets["line"]
        assert writer.append(batch("a", at, 10), offsets={"line": at + 10}).position == at + 10
        assert time.monotonic() - began < 60  # 10 s are wanted; a busy machine may take longer
        other.send_signal(signal.SIGCONT)
        # What it had sent before may be acknowledged yet, but nothing behind the takeover.
        error = next(line for line in other.stderr if "has taken over, because process" in line)
        assert f"source 'a': process {os.getpid()} on " in error
        writer.append(batch("a", at + 10, 10), offsets={"line": at + 20})
        other.kill()
    acknowledged = [int(line.split()[0]) for line in other.communicate()[0].splitlines() if line[0].isdigit()]
    assert max(acknowledged, default=0) <= at
    assert rows_of("a", place) == list(range(at + 20))


def test_cuts_and_repeated_requests_store_each_row_once(network: Proxy, place: str, tmp_path: Path) -> None:
    store_kills.first_push(tmp_path, place)
    faults = cycle(["cut", "", "no answer", "twice"])
    with tl.open(place).writer("b") as writer:
        network.fault = lambda request: next(faults) if request.startswith("PUT") and "/groups/" in request else ""
        for first in range(1, 121, 10):
            writer.append(batch("b", first, 10), offsets={"line": first + 10})
        network.fault = lambda _request: ""
    assert rows_of("b", place) == list(range(121))


def check(result: store_kills.Result, rows: int) -> None:
    assert (result.rows, result.lost, result.repeated, result.wrong) == (rows // 3 * 3, 0, 0, 0)
    assert (
        max(result.writer_takeovers + result.historian_takeovers) < 30
    )  # 10 s are reported on a machine that isn't busy


@pytest.mark.soak
def test_killed_writers_and_historians_lose_and_repeat_nothing(network: Proxy, server: str, tmp_path: Path) -> None:
    store_kills.first_push(tmp_path, "s3://plant/kills")
    result = store_kills.run(tmp_path, server, rows=6_000, kills=4, cuts=6, size=100)
    check(result, 6_000)
    assert result.kills + result.freezes >= 3
    assert result.cuts == 6


@pytest.mark.soak
def test_two_hundred_kills_and_cuts_over_a_million_rows(network: Proxy, server: str, tmp_path: Path) -> None:
    store_kills.first_push(tmp_path, "s3://plant/many")
    result = store_kills.run(tmp_path, server, rows=999_999, kills=80, cuts=120, url="s3://plant/many")
    check(result, 999_999)
    assert result.kills + result.freezes + result.cuts >= 200
