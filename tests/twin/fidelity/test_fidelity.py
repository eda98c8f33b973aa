"""A twin of a plant against the plant's truth: right without faults, and with faults wrong where they are."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import twinlab as tl
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.plant import ParcelSize, Plant
from twinlab.plant.faults.schedule import schedule_faults
from twinlab.plant.faults.sensors import SensorFaults
from twinlab.plant.network.names import asset_name
from twinlab.plant.peers.peer import moment_of
from twinlab.plant.run.true_signals import true_signals
from twinlab.plant.run.truth import Truth
from twinlab.twin.writer import TwinWriter

SIZE = ParcelSize(hubs=3, trucks=3, cold_rooms=5, forklifts=2, parcels_a_week=30, weeks=1, seed=5)
MODEL = {
    "twin": "rooms", "origin": "2026-01-01",
    "asset_types": {"cold_room": {"signals": {
        "temperature": {"unit": "degC", "resolution": 0.01, "cadence": "5min", "expected_span": [-25, 15], "spike": [4, 8]},
        "door": {"kind": "state", "states": {0: "closed", 1: "open"}, "cadence": "5min"},
    }}},
}  # fmt: skip
STATES = {"states": {"0": "closed", "1": "open"}}
MAPPING = {
    "source": "rooms",
    "stream": {"tags": {
        r"/^(?P<room>R\d+)[.]temperature$/": {"signal": "temperature", "asset": "cold_room/{room}", "unit": "degF"},
        r"/^(?P<room>R\d+)[.]door$/": {"signal": "door", "asset": "cold_room/{room}", **STATES},
    }},
}  # fmt: skip
#: Half of a tenth of °F, in which the units report, and half of the twin's resolution.
AS_REPORTED = 0.05 / 1.8 + 0.005 + 1e-9
Follow = Callable[..., tuple[tl.Twin, dict[str, pd.DataFrame]]]


def shown(plant: Plant, until: int, truth: Truth, sensors: SensorFaults) -> pd.DataFrame:
    """Advance a plant, record its truth, and return what its refrigeration units report."""
    step = plant.advance(until)
    truth.record(plant, step)
    rooms = moment_of(plant, step, sensors).rooms
    written = np.where(rooms.celsius, rooms.temperature, rooms.temperature * 1.8 + 32).round(1)
    names = [asset_name("cold_room", room) for room in range(SIZE.cold_rooms)]
    # Units don't report while their sensors are broken.
    parts = [
        pd.DataFrame(
            {
                "source_time": pd.to_datetime(step.rooms.time, unit="s", utc=True),
                "tag": f"{name}.{signal}",
                "value": values,
            }
        )[~rooms.silent[room]]
        for room, name in enumerate(names)
        for signal, values in (("temperature", written[room]), ("door", step.rooms.door[:, room].astype(float)))
    ]
    return pd.concat(parts)


@pytest.fixture
def follow(tmp_path: Path) -> Follow:
    """Return a function that runs a plant for six hours with a twin that follows it; faults that the plan has are later."""

    def followed(*faults: dict[str, object], deliver: Callable[[TwinWriter, pd.DataFrame], object] = TwinWriter.append) -> tuple[tl.Twin, dict[str, pd.DataFrame]]:  # fmt: skip
        (tmp_path / "twin.yaml").write_text(yaml.safe_dump(MODEL))
        (tmp_path / "rooms.yaml").write_text(yaml.safe_dump(MAPPING))
        twin = tl.create(tmp_path / "twin", model=tmp_path / "twin.yaml", mappings=tmp_path / "rooms.yaml")
        plant, sensors = Plant(SIZE), SensorFaults(SIZE)
        for fault in schedule_faults({"faults": faults}, "test").faults:
            sensors.add(fault, plant.time)
        begin = plant.time
        with Truth(tmp_path / "run" / "truth") as truth, twin.writer() as writer:
            for hour in range(1, 7):
                deliver(writer, shown(plant, begin + hour * 3600, truth, sensors))
        return twin, {"cold_room": true_signals(tmp_path / "run")["cold_room"].drop(columns="compressor")}

    return followed


def test_without_faults_errors_are_within_what_the_units_report(follow: Follow) -> None:
    twin, truth = follow()
    found = twin.fidelity(truth)
    temperature, door = found.loc["cold_room", "temperature"], found.loc["cold_room", "door"]
    assert temperature.unit == "degC"
    # Six hours, less the cell whose later rows may still come.
    assert temperature.cells == temperature.compared == 71 * 5
    assert 0 < temperature.mae <= temperature.p99 <= temperature["max"] <= AS_REPORTED
    assert (door.cells, door.coverage, door.wrong) == (71 * 5, 1.0, 0.0)
    assert 0 <= temperature.latency_p50 <= temperature.latency_p99 < 60
    tolerant = twin.fidelity(truth, tolerances={"temperature": AS_REPORTED})
    assert tolerant.loc["cold_room", "temperature"].wrong == 0
    assert found.loc["cold_room", "temperature"].wrong > 0  # the resolution is finer than a tenth of °F


def test_what_is_wrong_is_that_of_the_faults_and_flags_account_for_what_is_sudden(follow: Follow) -> None:
    twin, truth = follow(
        {"kind": "spikes", "target": "R03", "signal": "temperature", "amount": 40},
        {"kind": "unit_swap", "target": "R01", "signal": "temperature", "start": "2h", "lasts": "2h"},
        {"kind": "drift", "target": "R02", "signal": "temperature", "start": "1h", "amount": 12},
    )
    found = twin.fidelity(truth, tolerances={"temperature": AS_REPORTED}, by_asset=True).loc["cold_room", "temperature"]
    assert found.wrong[["R04", "R05"]].tolist() == [0, 0]
    # A swapped unit is wrong by nearly 20 K for two of six hours, 24 of 71 cells. Where it begins and ends it is flagged;
    # between, the values are possible ones.
    assert found.wrong["R01"] == pytest.approx(24 / 71)
    assert found["max"]["R01"] > 15
    assert 0 < found.wrong_flagged["R01"] < 0.2
    # 12 K a day for five hours: nearly 2.5 K in the end, and slow, so that no flag says so.
    assert 2.3 < found["max"]["R02"] < 2.6
    assert found.bias["R02"] > 0.8
    assert found.wrong_flagged["R02"] == 0
    # Spikes are flagged, so that what isn't flagged is right.
    assert found["max"]["R03"] == pytest.approx(40, abs=0.1)
    assert found.wrong_flagged["R03"] == 1
    assert found.max_unflagged["R03"] <= AS_REPORTED
    assert found.coverage.tolist() == [1.0] * 5
    whole = twin.fidelity(truth).loc["cold_room", "temperature"]
    assert whole["max"] == found["max"].max()


def test_a_gap_lowers_the_coverage_and_what_is_late_has_its_latency(follow: Follow) -> None:
    kept: list[pd.DataFrame] = []

    def deliver(writer: TwinWriter, rows: pd.DataFrame) -> None:
        hour = rows["source_time"].iloc[0].floor("h")
        # A unit without a link has no values to send later; a gateway has, once its link is back.
        if hour == pd.Timestamp(SIZE.start, tz="UTC") + pd.Timedelta(hours=3):
            rows = rows[~rows["tag"].str.startswith("R01")]
            kept.append(rows[rows["tag"].str.startswith("R02")])
            rows = rows[~rows["tag"].str.startswith("R02")]
        writer.append(rows)
        if kept and hour == pd.Timestamp(SIZE.start, tz="UTC") + pd.Timedelta(hours=5):
            time.sleep(0.3)
            writer.append(kept.pop())

    twin, truth = follow(deliver=deliver)
    found = twin.fidelity(truth, tolerances={"temperature": AS_REPORTED}, by_asset=True).loc["cold_room", "temperature"]
    assert found.coverage.tolist() == [pytest.approx(59 / 71), 1, 1, 1, 1]
    assert found.wrong.tolist() == [0] * 5
    # Both are as late as each other but for that hour.
    assert found.latency_p99["R02"] > 0.3
    assert found.latency_p99["R02"] >= found.latency_p99["R03"]


def test_a_span_and_assets_can_be_chosen(follow: Follow) -> None:
    twin, truth = follow()
    start = pd.Timestamp(SIZE.start) + pd.Timedelta(hours=1)
    found = twin.fidelity(truth, start=start, stop=start + pd.Timedelta(hours=1), assets=["R04"])
    assert found.cells.tolist() == [12, 12]
    # Cells that are in it in part don't count.
    minute = pd.Timedelta(minutes=1)
    part = twin.fidelity(truth, start=start + minute, stop=start + pd.Timedelta(hours=1) - minute, assets=["R04"])
    assert part.cells.tolist() == [10, 10]


def test_truth_may_be_in_another_unit(follow: Follow) -> None:
    twin, truth = follow()
    fahrenheit = {"cold_room": truth["cold_room"].assign(temperature=truth["cold_room"]["temperature"] * 1.8 + 32)}
    fahrenheit["cold_room"].attrs["units"] = {"temperature": "degF"}
    pd.testing.assert_frame_equal(twin.fidelity(fahrenheit, assets=["R01"]), twin.fidelity(truth, assets=["R01"]))


@pytest.mark.parametrize("by_asset", [False, True])
def test_truth_of_no_whole_cell_and_a_twin_without_rows_have_numbers_too(
    follow: Follow, tmp_path: Path, by_asset: bool
) -> None:
    twin, truth = follow()
    rows = truth["cold_room"]
    early = {"cold_room": rows[rows["time"] < rows["time"].min() + pd.Timedelta(minutes=2)]}
    assert twin.fidelity(early, by_asset=by_asset)["cells"].sum() == 0
    nothing = tl.create(tmp_path / "other", model=tmp_path / "twin.yaml", mappings=tmp_path / "rooms.yaml")
    found = nothing.fidelity(truth, by_asset=by_asset)
    assert found["cells"].sum() == 2 * 71 * 5
    assert found["coverage"].tolist() == [0] * len(found)
    assert found["latency_p50"].isna().all()


def test_errors_name_what_is_wrong(follow: Follow) -> None:
    twin, truth = follow()
    rows = truth["cold_room"]
    with pytest.raises(UnknownTermError, match=r"unknown asset type 'cold_rooms'; did you mean 'cold_room'\?"):
        twin.fidelity({"cold_rooms": rows})
    with pytest.raises(UnknownTermError, match=r"'cold_room' has no signal 'temp'"):
        twin.fidelity({"cold_room": rows.rename(columns={"temperature": "temp"})})
    with pytest.raises(SchemaError, match=r"expected a column 'asset' in the truth of 'cold_room', got \['time', "):
        twin.fidelity({"cold_room": rows.drop(columns="asset")})
    with pytest.raises(UnknownTermError, match=r"tolerances of signals in the truth, got 'dor'; did you mean 'door'\?"):
        twin.fidelity(truth, tolerances={"dor": 1})
    with pytest.raises(UnknownTermError, match=r"the truth has no asset 'R4'; did you mean 'R04'\?"):
        twin.fidelity(truth, assets=["R4"])
    with pytest.raises(SchemaError, match=r"true values of a signal that a mapping has, got tables of \[\]"):
        twin.fidelity({})
