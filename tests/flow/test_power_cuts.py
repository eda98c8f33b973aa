"""The power of a gateway's or of the historian's machine goes, again and again: every row is in the ledger once, and in the history."""

from __future__ import annotations

import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.flow.live_site import Site
from tests.flow.test_live_chaos import check
from tests.power_cuts import Disk, need_disk

GATEWAYS = ("truck-1", "truck-2")


def made(site: Site, name: str) -> int:
    try:
        return site.made(name)
    except (sqlite3.OperationalError, TypeError):  # it is being made
        return 0


def wait_for(found: Callable[[], list[str]]) -> list[str]:
    until = time.monotonic() + 120
    while not (names := found()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return names


def run(program: Path, folder: Path, *, cuts: int, seed: int) -> int:
    """Cut the power so many times, let everything finish; return the number of rows."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        disks = {
            name: stack.enter_context(Disk(folder / f"{name}-disk", megabytes=128)) for name in ("historian", *GATEWAYS)
        }
        site_folder = folder / "site"
        site_folder.mkdir()
        for name in GATEWAYS:
            (site_folder / f"{name}.db").symlink_to(disks[name].path / "outbox.db")
        (disks["historian"].path / "twin").mkdir()
        (site_folder / "twin").symlink_to(disks["historian"].path / "twin")
        site = Site(program, site_folder, GATEWAYS, step=20, rate=500)
        disks["historian"].sync()
        stack.callback(site.stop)
        for name in ("broker", "historian", *GATEWAYS):
            site.start(name)
        before = dict.fromkeys(GATEWAYS, 0)
        for _ in range(cuts):
            # What is cut before it has stored a row tests its start only.
            working = wait_for(
                lambda: [n for n in GATEWAYS if made(site, n) > before[n]] + ["historian"] * 2 * site.storing()
            )
            name = chance.choice(working)
            time.sleep(chance.uniform(0.0, 1.0))
            # Stopped first: it mustn't report that its disk fails.
            site.processes[name].send_signal(signal.SIGSTOP)
            disks[name].cut(chance)
            site.kill(name)
            disks[name].plug_in()
            if name in GATEWAYS:
                before[name] = made(site, name)
            site.start(name)
        site.finish(300.0)
        site.stop()
        return check(site)


def test_power_cuts_of_gateways_and_historian_lose_and_repeat_no_row(
    need: Callable[[str], Path | None], tmp_path: Path
) -> None:
    need_disk()
    program = need("mosquitto")
    assert program is not None
    assert run(program, tmp_path, cuts=4, seed=1) > 500


@pytest.mark.soak
def test_sixty_power_cuts_of_gateways_and_historian(need: Callable[[str], Path | None], tmp_path: Path) -> None:
    need_disk()
    program = need("mosquitto")
    assert program is not None
    for seed in range(3):
        (tmp_path / str(seed)).mkdir()
        sys.stdout.write(f"{run(program, tmp_path / str(seed), cuts=20, seed=seed):,} rows\n")
