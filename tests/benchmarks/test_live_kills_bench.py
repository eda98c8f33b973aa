"""Kill -9 of the historian at random moments while three gateways send: rows lost, twice and wrong, in the ledger and in plain Zarr.

The control is the same source with plain ``to_zarr(append_dim=)``, which acknowledges when that returns. TWINLAB_BENCH_KILLS (30) is the
number of kills of each.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zarr

from tests.flow.live_site import Site
from tests.flow.numbered_gateway import numbered

KILLS = int(os.environ.get("TWINLAB_BENCH_KILLS", "30"))
GATEWAYS = ("truck-1", "truck-2", "truck-3")
#: Seconds that a historian may take to store rows after it was started.
PATIENCE = 60.0


class ZarrSite(Site):
    """A site whose historian is the control."""

    @property
    def store(self) -> Path:
        """Where its rows are."""
        return self.folder / "store.zarr"

    def use_control(self) -> None:
        """Run the control as the historian."""
        options = json.dumps(self.broker.settings("historian"))
        self.historian = (str(Path(__file__).with_name("zarr_historian.py")), str(self.store), options)

    def rows(self) -> int:
        """Number of rows in the store."""
        try:
            return int(zarr.open_array(self.store, path="sequence", mode="r").shape[0])
        except (FileNotFoundError, ValueError, zarr.errors.ArrayNotFoundError):
            return 0

    def faults(self) -> dict[str, dict[str, int]]:
        """Compare the store with what the gateways made: a row without its data is wrong, and lost if it isn't there again."""
        group = zarr.open_group(self.store, mode="r")
        names = ("gateway", "sequence", "value", "time")
        length = min(group[name].shape[0] for name in names)
        gateway, sequence, value, times = (group[name][:length] for name in names)
        found = {}
        for name in self.names:
            mine = gateway == int(name.rpartition("-")[2])
            made, numbers = self.made(name), sequence[mine]
            known = np.unique(numbers[numbers > 0])
            expected = numbered(1, int(known[-1]))
            wrong = (value[mine] != expected.values[numbers - 1]) | (times[mine] != expected.times[numbers - 1])
            found[name] = {
                "lost": made - int((known <= made).sum()), "twice": len(numbers) - len(known), "wrong": int(wrong.sum()),
            }  # fmt: skip
        found["no gateway"] = {"lost": 0, "twice": 0, "wrong": int((gateway == 0).sum())}
        return found


def _kill(site: Site, rng: random.Random) -> tuple[int, str]:
    """Return the number of kills, and why the historian stopped by itself, if it did."""
    for name in ("broker", "historian", *site.names):
        site.start(name)
    for kills in range(KILLS):
        until = time.monotonic() + PATIENCE
        while not site.storing():
            time.sleep(0.02)
            if site.processes["historian"].poll() is not None or time.monotonic() > until:
                return kills, (site.folder / "historian.log").read_text().strip().splitlines()[-1][:200]
        time.sleep(rng.uniform(0, 0.8))
        site.kill("historian")
        site.start("historian")
    return KILLS, ""


def kill_and_finish(site: Site, *, seed: int) -> dict[str, object]:
    """Kill the historian so many times while it stores rows; return what became of all rows."""
    try:
        kills, stopped = _kill(site, random.Random(seed))
        if not stopped:
            site.finish(300.0)
    finally:
        site.stop()
    faults = list(site.faults().values())
    return {
        "kills": kills, "rows": sum(map(site.made, site.names)), **{kind: sum(one[kind] for one in faults) for kind in faults[0]},
        "stopped": stopped,
    }  # fmt: skip


def report(what: str, found: dict[str, object]) -> None:
    line = json.dumps({"what": what, **found})
    sys.stdout.write(f"\n{line}\n")
    if path := os.environ.get("TWINLAB_BENCH_OUT"):
        with Path(path).open("a") as out:
            out.write(f"{line}\n")


@pytest.fixture
def program(need: Callable[[str], Path | None]) -> Path:
    found = need("mosquitto")
    assert found is not None
    return found


@pytest.mark.benchmark
@pytest.mark.filterwarnings("ignore")
def test_kills_of_the_historian(program: Path, tmp_path: Path) -> None:
    found = kill_and_finish(Site(program, tmp_path, GATEWAYS, step=50, rate=2_000), seed=1)
    report("twinlab run", found)
    assert (found["lost"], found["twice"], found["wrong"], found["stopped"]) == (0, 0, 0, "")


@pytest.mark.benchmark
@pytest.mark.filterwarnings("ignore")
def test_kills_of_plain_zarr(program: Path, tmp_path: Path) -> None:
    site = ZarrSite(program, tmp_path, GATEWAYS, step=50, rate=2_000)
    site.use_control()
    found = kill_and_finish(site, seed=1)
    report("to_zarr(append_dim=)", found)
    assert found["kills"]
