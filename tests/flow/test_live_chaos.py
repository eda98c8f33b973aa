"""Kill -9 of broker, gateways and historian at random moments: every row is in the ledger once, and in the history."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import twinlab as tl
from tests.flow.live_site import Site
from tests.flow.numbered_gateway import numbered

GATEWAYS = ("truck-1", "truck-2", "truck-3")


def chaos(site: Site, *, kills: dict[str, int], seed: int) -> None:
    """Kill each process so many times, at random moments at which it works; then let everything finish."""
    rng = random.Random(seed)
    todo = dict(kills)
    for name in ("broker", "historian", *site.names):
        site.start(name)
    while any(todo.values()):
        time.sleep(rng.uniform(0.05, 0.6))
        # A historian that is killed before it has stored a row tests its start only.
        ready = [name for name, left in todo.items() if left and (name != "historian" or site.storing())]
        if ready:
            name = rng.choice(ready)
            site.kill(name)
            todo[name] -= 1
            time.sleep(rng.uniform(0, 0.2))
            site.start(name)
    site.finish(300.0)
    site.stop()


def wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def check(site: Site) -> int:
    """Compare ledger and history with what the gateways made; return the number of rows."""
    assert site.faults() == {name: {"lost": 0, "twice": 0, "wrong": 0} for name in site.names}
    assert site.errors() == []
    history = tl.open(site.twin).history("truck")
    for name in site.names:
        expected = numbered(1, site.made(name))
        last = np.flatnonzero(np.diff(expected.times // (60 * 10**9), append=-1))
        cells = history.temperature.sel(asset=f"{name}-0").dropna("time")
        np.testing.assert_allclose(cells.values, expected.values[last], atol=0.005)
    return sum(map(site.made, site.names))


@pytest.fixture
def program(need: Callable[[str], Path | None]) -> Path:
    found = need("mosquitto")
    assert found is not None
    return found


def test_random_kills_lose_and_repeat_no_row(program: Path, tmp_path: Path) -> None:
    site = Site(program, tmp_path, GATEWAYS, step=20, rate=500)
    chaos(site, kills={"historian": 4, "broker": 4, **dict.fromkeys(GATEWAYS, 2)}, seed=1)
    assert check(site) > 1_000


@pytest.mark.soak
def test_a_day_without_a_broker_fifty_restarts_and_wrong_clocks_change_no_cell(program: Path, tmp_path: Path) -> None:
    hour, day = 3_600, 86_400
    skew = {"truck-1": -hour, "truck-2": hour, "truck-3": -day, "truck-4": day}
    names = (*skew, "truck-5")
    site = Site(program, tmp_path, names, step=500, rate=4_000, skew=skew)
    for name in ("broker", "historian", *names):
        site.start(name)
    wait(site.storing)
    site.kill("broker")
    before = {name: site.made(name) for name in names}
    # A row a second: so many are a day.
    wait(lambda: all(site.made(name) > before[name] + day for name in names))
    site.start("broker")
    for _ in range(50):
        time.sleep(0.3)
        site.kill("broker")
        site.start("broker")
    site.finish(300.0)
    site.stop()
    assert check(site) > len(names) * day


@pytest.mark.soak
def test_a_thousand_kills_over_a_million_rows_lose_and_repeat_no_row(program: Path, tmp_path: Path) -> None:
    rows = 0
    for seed in range(10):
        site = Site(program, tmp_path / str(seed), GATEWAYS, step=50, rate=1_000)
        chaos(site, kills={"historian": 40, "broker": 30, **dict.fromkeys(GATEWAYS, 10)}, seed=seed)
        rows += check(site)
    assert rows >= 1_000_000
