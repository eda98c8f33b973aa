"""The simulation is physically consistent."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.plant import Network, ParcelSize, PlantFiles, simulate_network
from twinlab.plant.network.clocks import to_local
from twinlab.plant.network.forklifts import CHARGING, DRIVING

sizes = st.builds(
    ParcelSize,
    hubs=st.integers(2, 24),
    trucks=st.integers(1, 30),
    cold_rooms=st.just(1),
    forklifts=st.just(1),
    parcels_a_week=st.integers(1, 200),
    weeks=st.integers(1, 3),
    seed=st.integers(0, 2**32),
    start=st.sampled_from(["2025-10-20", "2026-03-23", "2026-01-05"]),
)


@settings(max_examples=15)
@given(size=sizes)
def test_no_truck_is_in_two_places_and_no_parcel_travels_before_it_has_arrived(size: ParcelSize) -> None:
    network = simulate_network(size)
    trips, parcels = network.trips, network.parcels
    driven = ~trips.cancelled
    for truck in range(size.trucks):
        own = np.flatnonzero(driven & (trips.truck == truck))
        assert (trips.start[own][1:] >= trips.end[own][:-1]).all()
        assert (trips.origin[own][1:] == trips.destination[own][:-1]).all()
    leg, trip = parcels.leg_parcel, parcels.leg_trip
    same = leg[1:] == leg[:-1]
    assert driven[trip].all()
    assert (trips.start[trip[1:]][same] >= trips.end[trip[:-1]][same]).all()
    assert (trips.origin[trip[1:]][same] == trips.destination[trip[:-1]][same]).all()
    first = np.flatnonzero(np.append(True, ~same)) if len(leg) else np.zeros(0, dtype=int)
    assert (trips.origin[trip[first]] == parcels.origin[leg[first]]).all()
    assert (trips.start[trip[first]] >= parcels.registered[leg[first]]).all()


def test_trucks_drive_as_far_as_the_road_is_long(network: Network) -> None:
    trips, roads = network.trips, network.roads
    driven = trips.km[trips.first[1:] - 1]
    assert driven == pytest.approx(roads.length[trips.origin, trips.destination])
    hours = (trips.end - trips.start)[~trips.cancelled] / 3600
    speed = driven[~trips.cancelled] / hours
    assert 35 < speed.min() < speed.max() < 86


def test_trucks_stay_on_the_road_between_the_hubs(network: Network) -> None:
    tracks = network.tracks
    own = tracks.truck == 0
    km = np.diff(tracks.odometer[own])
    lat, lon = np.radians(tracks.latitude[own]), np.radians(tracks.longitude[own])
    straight = 6371 * np.hypot(np.diff(lat), np.diff(lon) * np.cos(lat[:-1]))
    assert (km >= 0).all()
    # GPS noise of some metres; a chord is no longer than its arc.
    assert (straight <= km + 0.05).all()
    assert (straight[km > 2] > 0.9 * km[km > 2]).all()


def test_the_fuel_falls_with_the_distance_and_never_runs_out(network: Network) -> None:
    tracks = network.tracks
    assert tracks.fuel.min() > 5
    own = tracks.truck == 0
    km, burnt = np.diff(tracks.odometer[own]), -np.diff(tracks.fuel[own])
    falling = (km > 0) & (burnt > -20)
    assert 0.22 < burnt[falling].sum() / km[falling].sum() < 0.33


def test_a_door_left_open_warms_the_room(network: Network) -> None:
    rooms = network.rooms
    assert len(rooms.left_open) >= 1
    for room, first, last in rooms.left_open.tolist():
        at = (rooms.time >= first) & (rooms.time < last)
        seen = rooms.temperature[room, at]
        assert rooms.door[room, at].all()
        assert seen.max() > seen[0] + 2


def test_rooms_whose_door_is_shut_and_whose_compressor_works_keep_their_temperature(network: Network) -> None:
    rooms = network.rooms
    quiet = np.ones(rooms.temperature.shape, dtype=bool)
    for room, first, last in [*rooms.left_open.tolist(), *rooms.failed.tolist()]:
        quiet[room, (rooms.time >= first) & (rooms.time < last + 12 * 3600)] = False
    warm = rooms.temperature > rooms.upper_limit[:, None]
    assert (warm & quiet).mean() < 0.0005
    assert warm.any()


def test_batteries_fall_while_driving_and_rise_while_charging(network: Network) -> None:
    forklifts = network.forklifts
    change = np.diff(forklifts.battery, axis=1)
    mode = forklifts.mode[:, :-1]
    assert (change[mode == DRIVING] <= 0).all()
    assert (change[mode == CHARGING] >= 0).all()
    assert forklifts.load[forklifts.mode != DRIVING].max() == 0


def test_every_kind_of_fault_is_planted_at_least_once(network: Network) -> None:
    planted = {(fault.asset_type, fault.kind) for fault in network.faults}
    assert planted >= {
        ("cold_room", kind) for kind in ("unit_swap", "clock_shift", "drift", "stuck", "spikes", "dropout")
    } | {("truck", "silent"), ("truck", "stuck"), ("truck", "spikes"), ("forklift", "dropout")}


def test_a_fault_changes_only_values_within_its_span(network: Network) -> None:
    rooms, logged = network.rooms, network.logged
    changed = (logged.temperature != rooms.temperature) | logged.celsius | (logged.fast != 0) | logged.silent
    spans = np.zeros_like(changed)
    for fault in network.faults:
        if fault.asset_type == "cold_room":
            spans[fault.asset, (rooms.time >= fault.start) & (rooms.time < fault.stop)] = True
    assert not (changed & ~spans).any()


def test_trucks_rest_on_sundays(network: Network) -> None:
    wall = to_local(network.trips.start[~network.trips.cancelled])
    sunday = (wall // 86_400 + 3) % 7 == 6
    assert (wall[sunday] % 86_400 >= 22 * 3600).all()


def test_some_situations_are_active_when_the_files_end(written: PlantFiles) -> None:
    situations = pd.read_csv(written.folder / "truth" / "situations.csv")
    standing = situations[situations["end"].isna()]
    assert {"door_open", "silent_truck"} <= set(standing["rule"])


def test_the_old_names_of_forklifts_warn(network: Network) -> None:
    with pytest.warns(DeprecationWarning, match=r"Network\.lifts is now Network\.forklifts"):
        assert network.lifts is network.forklifts
    with pytest.raises(AttributeError, match="has no attribute 'cranes'"):
        _ = network.cranes
