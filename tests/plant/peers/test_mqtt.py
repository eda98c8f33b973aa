"""The trucks' gateways and their broker, followed by the live source of a twin."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.plant.peers.historian import Historian, until
from twinlab.plant import ParcelSize, Plant
from twinlab.plant.devices.keys import RunKeys
from twinlab.plant.peers.certificates import Authority
from twinlab.plant.peers.mqtt import UNITS, TruckGateways
from twinlab.plant.peers.peer import Moment, moment_of
from twinlab.predict.anomaly import AnomalyModel, fit

# aiomqtt leaves the socket of a lost connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")

WINDOW = 300 * 10**9
SIZE = ParcelSize(hubs=3, trucks=5, cold_rooms=1, forklifts=1, parcels_a_week=5, weeks=1, seed=6)


def truck_model(folder: Path) -> AnomalyModel:
    """Export what is usual for the first truck, so that its gateway scores its rows."""
    random, rows = np.random.default_rng(0), 200
    columns = {
        name: (("time", "asset"), random.normal(mean, spread, (rows, 1)), {"units": unit})
        for name, mean, spread, unit in (("speed", 60, 25, "km/h"), ("fuel", 200, 80, "L"))
    }
    model = fit(xr.Dataset(columns, {"time": np.arange(rows).astype("M8[m]"), "asset": ["T001"]}), follow=0)
    model.export(folder / "truck.npz")
    return model


def test_rows_of_trucks_reach_a_historian_once_whatever_their_link_does(tmp_path: Path) -> None:
    plant = Plant(SIZE)
    peer = TruckGateways(
        tmp_path / "mqtt",
        Authority(tmp_path / "secrets"),
        RunKeys(tmp_path / "keys", [f"truck/T00{number}" for number in (1, 2, 3)]),
    )
    moments: list[Moment] = []
    model = truck_model(tmp_path / "mqtt")

    async def advance(hours: int) -> None:
        moments.append(moment_of(plant, plant.advance(plant.time + hours * 3600)))
        await peer.publish(moments[-1])

    def waiting() -> int:
        return sum(peer.waiting(truck) for truck in range(3))

    async def run() -> Historian:
        await peer.start(moment_of(plant, plant.advance(plant.time)))
        try:
            historian = Historian("trucks", tmp_path, peer.address)
            following = asyncio.create_task(historian.follow())
            await advance(20)
            await until(lambda: not waiting())
            assert peer.link is not None
            peer.link.begin("link_down")
            await advance(4)
            assert waiting() > 0
            peer.link.end("link_down")
            await until(lambda: not waiting())
            # A truck that poses as another one is refused.
            await peer.pose_as(0, 1)
            await advance(1)
            await until(lambda: not waiting())
            # An empty disk: a new epoch from the first sequence on, and nothing is taken for a row of the old one.
            await peer.replace_disk(2)
            await advance(4)
            await until(lambda: not waiting())
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
        finally:
            await peer.stop()
        return historian

    historian = asyncio.run(run())
    expected = []
    for moment in moments:
        tracks = moment.reports.tracks
        kept = (tracks.truck < 3) & ~moment.reports.silent
        expected += zip(
            tracks.truck[kept].tolist(),
            tracks.time[kept].tolist(),
            np.round(tracks.odometer[kept], 1).tolist(),
            strict=True,
        )
    scores = [row for row in historian.rows if row["tag"].endswith(("/anomaly", "/unusual"))]
    rows = [row for row in historian.rows if row not in scores]
    found = sorted(
        (int(row["tag"][1:4]) - 1, row["source_time"] // 1_000_000_000, row["value"])
        for row in historian.rows
        if row["tag"].endswith("/odo_km")
    )
    assert found == sorted(expected)
    assert len(rows) == len(UNITS) * len(expected)
    assert {row["unit"] for row in rows} == set(UNITS.values())
    # The first truck's gateway sends the model's index of each of its reports.
    by_time: dict[int, dict[str, float]] = {}
    for row in rows:
        if row["tag"].startswith("T001/"):
            by_time.setdefault(row["source_time"] // WINDOW * WINDOW, {})[row["tag"][5:]] = row["value"]
    index = {row["source_time"]: row["value"] for row in scores if row["tag"] == "T001/T001/anomaly"}
    assert len(index) > 10
    for start, value in index.items():
        values = np.array([[[by_time[start]["kmh"], by_time[start]["fuel_l"]]]])
        assert value == model.score_values(values)[0].item()
    assert len({row["epoch"] for row in historian.rows}) == 4
    assert historian.lost == 0
    assert "Denied PUBLISH from T001" in (tmp_path / "mqtt" / "mosquitto.log").read_text()
