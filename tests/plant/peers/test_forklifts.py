"""The forklifts' gateways and their broker, followed by the live source of a twin."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.plant.peers.historian import Historian, until
from twinlab.plant import ParcelSize, Plant
from twinlab.plant.devices.keys import RunKeys
from twinlab.plant.network.forklifts import DRIVING, present_mode
from twinlab.plant.peers.certificates import Authority
from twinlab.plant.peers.forklifts import UNITS, ForkliftGateways
from twinlab.plant.peers.peer import moment_of

# aiomqtt leaves the socket of a lost connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

SIZE = ParcelSize(hubs=3, trucks=1, cold_rooms=1, forklifts=3, parcels_a_week=5, weeks=1, seed=6)
HOUR = 3600


def test_a_command_slows_a_forklift_as_its_own_rows_show(tmp_path: Path) -> None:
    plant = Plant(SIZE)
    # Monday at nine, local time.
    plant.advance(plant.time + 8 * HOUR)
    peer = ForkliftGateways(
        tmp_path / "forklifts",
        Authority(tmp_path / "secrets"),
        RunKeys(tmp_path / "keys", [f"forklift/F0{number}" for number in (1, 2, 3)]),
    )
    driving = np.flatnonzero(present_mode(plant.plan.forklifts, plant.state.forklifts) == DRIVING).tolist()
    assert driving
    slowed = f"F{driving[0] + 1:02d}"

    async def run() -> tuple[Historian, int]:
        await peer.start(moment_of(plant, plant.advance(plant.time)))
        try:
            historian = Historian("halls", tmp_path, peer.address)
            following = asyncio.create_task(historian.follow())
            for _ in range(20):
                await peer.publish(moment_of(plant, plant.advance(plant.time + 30)))
            plant.command("max_speed", slowed, 3.0)
            since = plant.time
            assert peer.link is not None
            # Rows of a lost link are sent later.
            peer.link.begin("link_down")
            await peer.publish(moment_of(plant, plant.advance(plant.time + 600)))
            peer.link.end("link_down")
            await until(lambda: not peer.waiting())
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
        finally:
            await peer.stop()
        return historian, since

    historian, since = asyncio.run(run())
    found: dict[str, dict[int, float]] = {}
    for row in historian.rows:
        found.setdefault(row["tag"], {})[row["source_time"] // 10**9] = row["value"]
    speed = found[f"{slowed}/kmh"]
    assert max(value for at, value in speed.items() if at < since) > 6
    later = [value for at, value in speed.items() if at >= since]
    assert len(later) == 120
    assert 0 < max(later) <= 3
    assert {value for at, value in found[f"{slowed}/max_kmh"].items() if at >= since} == {3.0}
    # Each forklift is where its speed brings it: five seconds from row to row.
    for name in ("F01", "F02", "F03"):
        times = sorted(found[f"{name}/kmh"])
        assert times == list(range(times[0], times[0] + 5 * len(times), 5))
        x, y, driven = (np.array([found[f"{name}/{tag}"][at] for at in times]) for tag in ("x_m", "y_m", "kmh"))
        # Shorter around a corner; positions have a resolution of 0.1 m.
        assert (np.hypot(np.diff(x), np.diff(y)) <= driven[:-1] / 3.6 * 5 + 0.2).all()
    units = {row["tag"][4:]: row["unit"] for row in historian.rows}
    assert {tag: units[tag] for tag in UNITS} == UNITS
    assert {row["text"] for row in historian.rows if row["tag"].endswith("/mode")} <= {"idle", "drive", "charge"}


def test_a_slow_forklift_needs_less_of_its_battery() -> None:
    levels = []
    for highest in (None, 6.0):
        plant = Plant(SIZE)
        plant.advance(plant.time + 8 * HOUR)
        if highest is not None:
            for number in range(3):
                plant.command("max_speed", f"F{number + 1:02d}", highest)
        step = plant.advance(plant.time + HOUR)
        used = step.forklifts.battery[0] - step.forklifts.battery[-1]
        levels.append(np.where((step.forklifts.mode == DRIVING).all(axis=0), used, np.nan))
    # Those that drove all the time in both.
    both = ~np.isnan(levels).any(axis=0)
    assert both.any()
    assert levels[1][both] == pytest.approx(levels[0][both] / 2)
