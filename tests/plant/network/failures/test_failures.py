"""Failures that announce themselves, delays with causes, and the files as they were without them."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twinlab.errors import SchemaError
from twinlab.plant import FailureRates, Network, ParcelSize, Plant, PlantFiles, simulate_network, write_files
from twinlab.plant.network.failures.failure import Failure
from twinlab.plant.network.failures.kinds import KINDS
from twinlab.plant.network.failures.weather import plan_weather
from twinlab.plant.network.towns import TOWNS
from twinlab.plant.steps.simulate import network_of

SIZE = ParcelSize(
    hubs=6, trucks=12, cold_rooms=8, forklifts=6, parcels_a_week=80, weeks=4, seed=5, start="2026-03-23",
    failures=FailureRates(),
)  # fmt: skip
DAY = 86_400


@pytest.fixture(scope="module")
def network() -> Network:
    return simulate_network(SIZE)


@pytest.fixture(scope="module")
def written(network: Network, tmp_path_factory: pytest.TempPathFactory) -> PlantFiles:
    return write_files(network, tmp_path_factory.mktemp("failures"))


def failures(network: Network, kind: str) -> list[Failure]:
    assert network.condition is not None
    begin, stop = SIZE.span
    return [
        one
        for one in network.condition.disturbances.failures
        if one.kind == kind and one.onset >= begin + DAY and one.failed < stop
    ]


def table(written: PlantFiles, name: str) -> list[dict[str, str]]:
    with (written.folder / "truth" / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(
    ("size", "digest"),
    [
        (
            ParcelSize(
                hubs=3, trucks=2, cold_rooms=3, forklifts=1, parcels_a_week=20, weeks=1, start="2025-10-20"
            ),
            "3e1a72572d9a19959098a2100d4fedae888a2e85027512cf868fcefc3663ef15",
        ),
        (
            ParcelSize(hubs=5, trucks=7, cold_rooms=6, forklifts=3, parcels_a_week=60, weeks=2, seed=7),
            "52e7b61a95f981b11afadb428c3361b06d0954ef1bbdf16cb282810a764236c5",
        ),
        (replace(ParcelSize.small(seed=3), parcels_a_week=40), "0a84f51f038f80e81f0da8965374ae09a31f81af1cecfe7bce161c742b168e7b"),
    ],
)  # fmt: skip
def test_files_without_failures_are_those_of_earlier_versions(size: ParcelSize, digest: str, tmp_path: Path) -> None:
    found = hashlib.sha256()
    written = write_files(simulate_network(size), tmp_path)
    for path in sorted((*written.files, *written.truth), key=lambda path: path.name):
        # The bytes of SQLite and of a workbook depend on the library's version.
        if path.suffix in (".csv", ".gz"):
            content = path.read_bytes()
            found.update(path.name.encode() + (gzip.decompress(content) if path.suffix == ".gz" else content))
    assert found.hexdigest() == digest


def test_every_kind_has_a_failure_with_onset_before_precursor_before_failure(network: Network) -> None:
    assert network.condition is not None
    found = [one for one in network.condition.disturbances.failures if one.kind != "power"]
    assert {one.kind for one in found} == set(KINDS)
    for one in found:
        assert one.onset < one.precursor < one.failed < one.repaired
        assert one.cause in {cause.name for cause in KINDS[one.kind].causes}
        least, most = KINDS[one.kind].days
        assert least - 1 <= (one.failed - one.onset) / DAY <= most + 1
    at_one = sorted((one.asset_type, one.asset, one.onset, one.repaired) for one in found)
    assert all(
        later[2] > earlier[3]
        for earlier, later in zip(at_one, at_one[1:], strict=False)
        if earlier[:2] == later[:2]
    )  # fmt: skip


def test_a_failing_compressor_takes_more_current_runs_longer_and_then_stops(network: Network) -> None:
    assert network.condition is not None
    rooms, current = network.rooms, network.condition.current
    found = failures(network, "compressor")
    assert found
    for one in found:
        before, last, broken = (
            (rooms.time >= low) & (rooms.time < high)
            for low, high in ((one.onset - DAY, one.onset), (one.failed - DAY, one.failed), (one.failed, one.repaired))
        )
        on = rooms.compressor[one.asset] == 1
        assert current[one.asset, last & on].mean() > 1.1 * current[one.asset, before & on].mean()
        assert on[last].mean() > on[before].mean()
        assert not on[broken].any()
        assert (current[one.asset, broken] == 0).all()


def test_a_fading_battery_drops_in_voltage_under_load_and_then_stands_still(network: Network) -> None:
    assert network.condition is not None
    forklifts, voltage = network.forklifts, network.condition.voltage
    for one in failures(network, "battery"):
        driving = forklifts.mode[one.asset] == 1
        early = driving & (forklifts.time < one.onset)
        late = driving & (forklifts.time >= one.failed - 3 * DAY) & (forklifts.time < one.failed)
        broken = (forklifts.time >= one.failed) & (forklifts.time < one.repaired)
        if early.any() and late.any():
            assert voltage[one.asset, late].mean() < voltage[one.asset, early].mean() - 0.8
        assert not driving[broken].any()


@pytest.mark.parametrize(("kind", "signal", "more"), [("brake", "brake", 50.0), ("cooling", "coolant", 8.0)])
def test_a_failing_truck_gets_hot_under_way_and_then_stands_until_it_is_repaired(
    network: Network, kind: str, signal: str, more: float
) -> None:
    assert network.condition is not None
    values = getattr(network.condition.temperatures, signal)
    tracks = network.tracks
    found = failures(network, kind)
    assert found
    for one in found:
        own = (tracks.truck == one.asset) & (tracks.speed > 60)
        early = own & (tracks.time < one.onset)
        late = own & (tracks.time >= one.failed - 2 * DAY) & (tracks.time < one.failed)
        if early.any() and late.any():
            assert values[late].max() > values[early].mean() + more
        standing = (tracks.truck == one.asset) & (tracks.time > one.failed + 120) & (tracks.time < one.repaired)
        assert standing.any()
        assert (tracks.speed[standing] < 3).all()


def test_a_dying_sensor_gets_noisy_and_then_has_no_value_while_the_room_goes_on(network: Network) -> None:
    rooms, seen = network.rooms, network.logged.temperature
    for one in failures(network, "sensor"):
        wrong = seen[one.asset] - rooms.temperature[one.asset]
        late = (rooms.time >= one.failed - DAY) & (rooms.time < one.failed)
        dead = (rooms.time >= one.failed) & (rooms.time < one.repaired)
        assert np.std(wrong[late]) > 0.5
        assert np.isnan(seen[one.asset, dead]).all()
        assert np.isfinite(rooms.temperature[one.asset, dead]).all()
        assert any(fault.kind == "dying" and fault.asset == one.asset for fault in network.faults)


def test_each_minute_of_delay_has_a_cause_and_no_truck_is_in_two_places(network: Network) -> None:
    usual = simulate_network(replace(SIZE, failures=None)).trips
    trips, condition = network.trips, network.condition
    assert condition is not None
    minutes = np.zeros(len(trips))
    for one in condition.disturbances.delays:
        assert one.minutes > 0
        minutes[one.trip] += one.minutes
    driven = ~trips.cancelled
    later = (trips.end - trips.start - (usual.end - usual.start) + trips.start - usual.start) / 60
    assert {one.cause for one in condition.disturbances.delays} >= {"weather", "congestion", "breakdown", "hub_limit"}
    untouched = driven & (minutes == 0)
    assert (trips.end[untouched] == usual.end[untouched]).all()
    # A later start changes the traffic that a trip meets by some minutes.
    assert np.abs(later - minutes)[driven].max() <= 20
    for truck in range(SIZE.trucks):
        own = np.flatnonzero(driven & (trips.truck == truck))
        assert (trips.start[own][1:] >= trips.end[own][:-1]).all()


def test_the_log_is_written_by_hand_late_and_its_truth_is_beside_it(written: PlantFiles) -> None:
    rows = []
    for path in written.files:
        if path.name.startswith("wartung_"):
            with path.open(encoding="cp1252", newline="") as stream:
                rows += list(csv.DictReader(stream, delimiter=";"))
    truth = {row["log_order"]: row for row in table(written, "failures.csv")}
    assert rows
    stop = np.datetime64(SIZE.span[1], "s")
    known = {order for order, row in truth.items() if np.datetime64(row["log_entered"]) < stop}
    assert {row["Auftrag"] for row in rows} == known
    for row in rows:
        assert truth[row["Auftrag"]]["log_asset"] == row["Anlage"]
        assert (truth[row["Auftrag"]]["asset"] in row["Anlage"]) == (truth[row["Auftrag"]]["log_readable"] == "True")
    assert all(row["failed"] <= row["log_end"] < row["log_entered"] or not row["onset"] for row in truth.values())


def test_the_signals_that_show_wear_are_in_the_files(written: PlantFiles) -> None:
    lines = {}
    for path in written.files:
        if path.suffix == ".gz":
            lines[path.name.split("_")[0]] = json.loads(gzip.decompress(path.read_bytes()).splitlines()[0])
    assert {"brake_c", "coolant_c"} <= set(lines["fleetbox"])
    assert {"brake_f", "coolant_f"} <= set(lines["roadtrace"])
    assert "volt" in lines["forklifts"]
    loggers = [path.read_text("cp1252") for path in written.files if path.name.startswith("kuehllogger")]
    assert all(";Strom A" in text or ";Current [A]" in text for text in loggers)
    assert {row["trip"] for row in table(written, "delays.csv")}
    assert {row["cause"] for row in table(written, "hindrances.csv")} == {"weather", "congestion", "hub_limit"}


def test_steps_of_any_length_and_a_saved_state_give_the_same_assets(network: Network, tmp_path: Path) -> None:
    plant = Plant(SIZE)
    begin, stop = SIZE.span
    temperature = []
    for until in range(begin, stop, 40 * 3600 + 37):
        temperature.append(plant.advance(until).rooms.temperature)
        plant = Plant.load(plant.save(tmp_path / "state.json"))
    assert plant.size == SIZE
    temperature.append(plant.advance(stop).rooms.temperature)
    assert np.array_equal(np.concatenate(temperature)[::5].T, network.rooms.temperature)
    whole = Plant(SIZE)
    again = network_of(whole, whole.advance(stop))
    assert again.condition is not None
    assert network.condition is not None
    assert np.array_equal(again.condition.temperatures.brake, network.condition.temperatures.brake)


def test_a_held_trip_keeps_the_storms_and_breakdowns_of_all_others(network: Network) -> None:
    plant = Plant(SIZE)
    coming = np.flatnonzero(~network.trips.cancelled & (network.trips.start > SIZE.span[0] + 9 * DAY))
    trip = int(coming[0])
    plant.advance(SIZE.span[0] + 9 * DAY)
    plant.command("hold_trip", f"TR{trip + 1:05d}", 60)
    others = network.trips.truck != network.trips.truck[trip]
    assert (plant.timetable.trips.end[others] == network.trips.end[others]).all()
    assert plant.timetable.trips.start[trip] == network.trips.start[trip] + 3600


def test_a_rate_of_zero_turns_a_kind_off_and_leaves_the_others(network: Network) -> None:
    assert network.condition is not None
    off = simulate_network(replace(SIZE, failures=FailureRates(seal=0, brake=0, weather=0)))
    assert off.condition is not None
    kinds = {one.kind for one in off.condition.disturbances.failures}
    assert not kinds & {"seal", "brake"}
    assert "weather" not in {one.cause for one in off.condition.disturbances.hindrances}
    assert failures(off, "compressor")[:1] == failures(network, "compressor")[:1]


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf"), True, "often"])
def test_rates_that_are_no_numbers_are_refused(wrong: float) -> None:
    with pytest.raises(SchemaError, match="expected a number of at least 0 for seal"):
        FailureRates(seal=wrong)


def test_failures_that_are_no_rates_are_refused() -> None:
    with pytest.raises(SchemaError, match="expected FailureRates or None"):
        ParcelSize(failures=True)  # type: ignore[arg-type]


def test_the_weather_service_has_each_hour_and_its_gusts_tell_the_storms(network: Network, written: PlantFiles) -> None:
    assert network.condition is not None
    storms = [one for one in network.condition.disturbances.hindrances if one.cause == "weather"]
    weather = plan_weather(SIZE, storms)
    calm = np.ones(weather.gust.shape, bool)
    for one in storms:
        hours = (weather.time + 3600 > one.start) & (weather.time < one.stop)
        calm[one.hub, (weather.time + 3 * 3600 > one.start) & (weather.time - 2 * 3600 < one.stop)] = False
        # A storm within the span, of which the first and the last hour may be partly calm.
        if hours.sum() > 2:
            within = weather.gust[one.hub, hours][1:-1]
            assert (within >= 8 + 45 * (1 - one.amount) - 0.06).all()
    assert np.quantile(weather.gust[calm], 0.99) < 14.75 <= weather.gust[~calm].max()
    assert (weather.gust > 0).all() and (weather.rain >= 0).all()
    text = (written.folder / "files" / "wetter.csv").read_text(encoding="cp1252").splitlines()
    assert len(text) == 1 + weather.gust.size
    assert text[0] == "Station;Zeit (UTC);Böe km/h;Niederschlag mm"
    first = text[1].split(";")
    assert first[0] == TOWNS[0].code and float(first[2]) == pytest.approx(3.6 * weather.gust[0, 0], abs=0.51)


def test_other_files_are_the_same_whatever_the_weather_service_records(written: PlantFiles, tmp_path: Path) -> None:
    calm = replace(SIZE, failures=replace(SIZE.failures, weather=0))  # type: ignore[type-var]
    other = write_files(simulate_network(calm), tmp_path)
    rooms = [path for path in written.files if path.name.startswith("kuehllogger")]
    assert rooms and all(path.read_bytes() == (other.folder / "files" / path.name).read_bytes() for path in rooms)
