"""The plant as a running program: what it records, and how it ends."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pytest

from twinlab.errors import SchemaError, SourceError, UnknownTermError
from twinlab.plant import ParcelSize, Plant, simulate_network
from twinlab.plant.peers.peer import Moment
from twinlab.plant.run import chosen
from twinlab.plant.run.runner import RunReport, run_plant
from twinlab.plant.run.truth import Truth, read_truth

SIZE = ParcelSize(hubs=3, trucks=3, cold_rooms=3, forklifts=2, parcels_a_week=30, weeks=1, seed=5)


@dataclass
class Recorder:
    """A peer that notes what is asked of it."""

    name: str = "recorder"
    fails: bool = False
    calls: list[str] = field(default_factory=list)
    minutes: int = 0

    async def start(self, moment: Moment) -> None:
        assert not len(moment.step.rooms.time)
        self.calls.append("start")

    async def publish(self, moment: Moment) -> None:
        self.minutes += len(moment.step.rooms.time)
        self.calls.append("publish")
        if self.fails:
            msg = "the peer failed"
            raise OSError(msg)

    async def stop(self) -> None:
        self.calls.append("stop")

    @property
    def address(self) -> dict[str, object]:
        return {"host": "127.0.0.1", "port": 1}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunReport, Recorder, Plant]:
    """A run to the end of its plan, at a speed that takes many steps."""
    folder, recorder, plant = tmp_path_factory.mktemp("run"), Recorder(), Plant(SIZE)
    report = asyncio.run(run_plant(plant, folder, speed=600_000, tick=0.02, peers=[recorder]))
    return folder, report, recorder, plant


def test_the_truth_of_a_whole_run_is_that_of_the_network(ended: tuple[Path, RunReport, Recorder, Plant]) -> None:
    folder, report, _, plant = ended
    assert report.steps > 5
    assert report.end.timestamp() == SIZE.span[1]
    network = simulate_network(SIZE)
    rooms = read_truth(folder / "truth", "rooms").to_pandas()
    for room in range(SIZE.cold_rooms):
        own = rooms[rooms["room"] == f"R{room + 1:02d}"]
        assert (np.diff(own["time"].astype("int64")) == 60).all()
        assert np.array_equal(own["temperature"].to_numpy()[::5], network.rooms.temperature[room])
    trucks = read_truth(folder / "truth", "trucks").to_pandas()
    assert np.array_equal(trucks["speed"], network.tracks.speed)
    assert np.array_equal(trucks["sent"], ~network.reported.silent)
    battery = read_truth(folder / "truth", "forklifts").to_pandas()
    assert np.array_equal(battery["battery"].to_numpy().reshape(-1, SIZE.forklifts).T, network.forklifts.battery)
    events = rows(folder / "truth" / "events.csv")
    assert [one["time"] for one in events] == sorted(one["time"] for one in events)
    inside = (network.trips.start >= SIZE.span[0]) & (network.trips.start < SIZE.span[1])
    assert sum(one["what"] == "departed" for one in events) == int(inside.sum())
    assert sum(one["what"] == "registered" for one in events) == len(network.parcels)
    faults = rows(folder / "truth" / "faults.csv")
    assert sum(one["what"] == "begins" for one in faults) == len(plant.faults)


def test_peers_are_started_shown_every_minute_and_stopped(ended: tuple[Path, RunReport, Recorder, Plant]) -> None:
    folder, _, recorder, _ = ended
    assert recorder.calls[0] == "start"
    assert recorder.calls[-1] == "stop"
    assert recorder.minutes == 7 * 24 * 60
    assert not (folder / "plant.json").exists()
    assert not (folder / "secrets").exists()


def test_a_stopped_run_goes_on_from_its_state(tmp_path: Path) -> None:
    async def stopped() -> None:
        ending = asyncio.Event()
        asyncio.get_running_loop().call_later(0.2, ending.set)
        await run_plant(Plant(SIZE), tmp_path / "first", speed=100_000, tick=0.02, stop=ending)

    asyncio.run(stopped())
    plant = Plant.load(tmp_path / "first" / "state.json")
    assert SIZE.span[0] < plant.time < SIZE.span[1]
    plant.command("open_door", "R01")
    begin = plant.time
    asyncio.run(run_plant(plant, tmp_path / "second", speed=10_000_000, tick=0.02))
    rooms = read_truth(tmp_path / "second" / "truth", "rooms").to_pandas()
    assert rooms["time"].min().timestamp() == -(-begin // 60) * 60
    assert rooms.loc[rooms["room"] == "R01", "door"].all()
    assert [one["kind"] for one in rows(tmp_path / "second" / "truth" / "commands.csv")] == ["open_door"]


def test_a_peer_that_fails_ends_the_run_and_all_are_stopped(tmp_path: Path) -> None:
    first, second = Recorder("first"), Recorder("second", fails=True)
    with pytest.raises(OSError, match="the peer failed"):
        asyncio.run(run_plant(Plant(SIZE), tmp_path, peers=[first, second]))
    assert first.calls[-1] == second.calls[-1] == "stop"
    assert (tmp_path / "state.json").exists()
    assert not (tmp_path / "plant.json").exists()


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_speeds_that_are_no_positive_number_are_refused(tmp_path: Path, speed: float) -> None:
    with pytest.raises(SchemaError, match="expected a speed above 0"):
        asyncio.run(run_plant(Plant(SIZE), tmp_path, speed=speed))


def test_the_truth_of_another_run_is_not_overwritten(ended: tuple[Path, RunReport, Recorder, Plant]) -> None:
    with pytest.raises(SchemaError, match="without the truth of another run"):
        asyncio.run(run_plant(Plant(SIZE), ended[0]))


def test_truth_that_ends_in_the_middle_of_a_batch_is_read_up_to_it(
    ended: tuple[Path, RunReport, Recorder, Plant], tmp_path: Path
) -> None:
    whole = (ended[0] / "truth" / "rooms.arrows").read_bytes()
    (tmp_path / "rooms.arrows").write_bytes(whole[: len(whole) // 2])
    part = read_truth(tmp_path, "rooms")
    full = read_truth(ended[0] / "truth", "rooms")
    assert 0 < part.num_rows < full.num_rows
    assert part.equals(full.slice(0, part.num_rows))


def test_unknown_peers_and_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plant = Plant(SIZE)
    with pytest.raises(UnknownTermError, match="there is no peer 'modbuss'; did you mean 'modbus'"):
        chosen.make_peers(plant, tmp_path, ["modbuss"])
    monkeypatch.setitem(sys.modules, "twinlab.plant.peers.modbus", None)
    with pytest.raises(SourceError, match=r'pip install "twinlab-kit\[plant\]"'):
        chosen.make_peers(plant, tmp_path, ["modbus"])


def test_the_command_starts_and_ends_cleanly_on_sigterm(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    command = [sys.executable, "-m", "twinlab.cli", "plant", "run", "--folder", str(folder), "--speed", "3600"]
    command += ["--peers", "modbus", "--small", "--weeks", "1", "--rooms", "2", "--seed", "9"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(600):
            if (folder / "plant.json").exists():
                break
            time.sleep(0.1)
        notice = json.loads((folder / "plant.json").read_text())
        time.sleep(1.2)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert notice["size"]["seed"] == 9
    assert f"127.0.0.1:{notice['peers']['modbus']['port']}" in out
    assert "ran from 2026-03-23 00:00 to 2026-03-23" in out
    assert err == ""
    assert read_truth(folder / "truth", "rooms").num_rows > 0
    assert not (folder / "plant.json").exists()


def test_servers_of_a_killed_plant_end_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "plant"
    command = [sys.executable, "-m", "twinlab.cli", "plant", "run", "--folder", str(folder), "--small", "--weeks", "1"]
    process = subprocess.Popen([*command, "--peers", "mqtt", "erp", "--trucks", "2"], stdout=subprocess.DEVNULL)
    try:
        for _ in range(600):
            if (folder / "plant.json").exists():
                break
            time.sleep(0.1)
        children = psutil.Process(process.pid).children()
        assert {child.name() for child in children} == {"mosquitto", "postgres"}
    finally:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []


def test_with_now_the_clock_is_this_machines(tmp_path: Path) -> None:
    monday = time.strftime("%Y-%m-%d", time.gmtime(time.time() - (time.gmtime().tm_wday + 7) * 86_400))
    plant = Plant(ParcelSize(hubs=2, trucks=1, cold_rooms=1, forklifts=1, parcels_a_week=1, weeks=3, start=monday))
    plant.advance(int(time.time()) - 300)

    async def run() -> RunReport:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.3, stop.set)
        return await run_plant(plant, tmp_path / "run", now=True, tick=0.05, stop=stop)

    asyncio.run(run())
    # What was before the run is made up for in its first step, and recorded.
    assert abs(plant.time - time.time()) < 2
    rooms = read_truth(tmp_path / "run" / "truth", "rooms").to_pandas()
    assert 4 <= len(rooms) <= 6
    with pytest.raises(SchemaError, match="expected speed 1 and a plant whose time is before this machine's, got 60"):
        asyncio.run(run_plant(plant, tmp_path / "fast", now=True, speed=60))


def test_truth_without_a_row_is_empty(tmp_path: Path) -> None:
    (tmp_path / "rooms.arrows").touch()
    assert read_truth(tmp_path, "rooms").num_rows == 0


def test_faults_that_are_under_way_at_the_begin_are_part_of_the_truth(tmp_path: Path) -> None:
    plant = Plant(SIZE)
    fault = max(plant.faults, key=lambda one: one.stop - one.start)
    plant.advance(fault.start + 600)
    with Truth(tmp_path / "truth") as truth:
        for until in (fault.start + 1200, fault.start + 1800):
            truth.record(plant, plant.advance(until))
    begun = [row for row in rows(tmp_path / "truth" / "faults.csv") if row["kind"] == fault.kind]
    assert [row["what"] for row in begun] == ["begins"]
    assert begun[0]["time"] == f"{np.datetime64(fault.start, 's')}Z"
