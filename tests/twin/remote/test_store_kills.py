"""Processes that write one twin in a store are killed, frozen and cut off; nothing is lost, repeated or wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import store_kills
from s3_server import Proxy


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
