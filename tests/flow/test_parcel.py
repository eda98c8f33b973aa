"""The twin of the parcel network agrees with the truth, except for the planted faults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.events import episodes
from twinlab.plant import Network, ParcelSize, PlantFiles, simulate_network, write_files
from twinlab.plant.network.parcels import FIRST_NUMBER

RECIPE = Path(tl.__file__).parent / "demos" / "parcel"
#: What is left of a temperature that a logger wrote in tenths of °F, in K, and of half a step of the twin's own.
TENTH_OF_F = 0.05 / 1.8 + 0.005 + 1e-9


@dataclass(frozen=True)
class Parcel:
    network: Network
    files: PlantFiles
    twin: tl.Twin
    report: tl.IngestReport

    def times(self, seconds: np.ndarray) -> np.ndarray:
        return seconds.astype("M8[s]").astype("M8[ns]")

    def truth(self, name: str, **wanted: str) -> pd.DataFrame:
        table = pd.read_csv(
            self.files.folder / "truth" / f"{name}.csv",
            parse_dates=["start", "end"] if name != "hand_edits" else False,
            dtype={"asset": str},
        )
        for column, value in wanted.items():
            table = table[table[column] == value]
        return table


@pytest.fixture(scope="module")
def parcel(tmp_path_factory: pytest.TempPathFactory) -> Parcel:
    network = simulate_network(ParcelSize.small())
    files = write_files(network, tmp_path_factory.mktemp("files"))
    twin = tl.create(
        tmp_path_factory.mktemp("twin") / "parcel", model=RECIPE / "twin.yaml", mappings=RECIPE / "mapping"
    )
    report = twin.ingest(*files.files)
    return Parcel(network, files, twin, report)


def faulty(parcel: Parcel, *kinds: str) -> np.ndarray:
    """bool[room, sample]: samples with one of these faults."""
    rooms = parcel.network.rooms
    found = np.zeros(rooms.temperature.shape, dtype=bool)
    for fault in parcel.network.faults:
        if fault.asset_type == "cold_room" and fault.kind in kinds:
            # The last minutes of a fast clock overlap the first ones after its correction.
            late = 3600 if fault.kind == "clock_shift" else 0
            found[fault.asset, (rooms.time >= fault.start) & (rooms.time < fault.stop + late)] = True
    return found


def of_rooms(parcel: Parcel, signal: str) -> np.ndarray:
    """[room, sample] at the times of the truth."""
    rooms = parcel.network.rooms
    names = [parcel.network.room(number) for number in range(len(rooms))]
    stored = parcel.twin.history("cold_room", signals=[signal])[signal]
    return stored.sel(asset=names, time=parcel.times(rooms.time)).transpose("asset", "time").values


def test_nothing_is_unknown_and_only_the_planted_edits_are_problems(parcel: Parcel) -> None:
    assert [term for part in parcel.report.parts for term in part.unknown] == []
    edits = parcel.truth("hand_edits")
    unreadable = edits.loc[~edits["readable"], "text"].tolist()
    problems = [problem for part in parcel.report.parts for problem in part.problems]
    assert sorted(problem.text for problem in problems) == sorted(unreadable)
    assert len(unreadable) >= 4


def test_every_temperature_equals_what_was_in_the_room(parcel: Parcel) -> None:
    stored, truth = of_rooms(parcel, "temperature"), parcel.network.rooms.temperature
    good = ~faulty(parcel, "unit_swap", "clock_shift", "drift", "stuck", "spikes", "dropout")
    assert good.mean() > 0.5
    assert np.abs(stored - truth)[good].max() <= TENTH_OF_F
    assert not np.isnan(stored[good]).any()


def test_the_unit_swap_shows_as_if_celsius_were_fahrenheit(parcel: Parcel) -> None:
    at = faulty(parcel, "unit_swap")
    stored, truth = of_rooms(parcel, "temperature")[at], parcel.network.rooms.temperature[at]
    assert len(stored) > 500
    assert np.abs(stored - (truth - 32) / 1.8).max() <= TENTH_OF_F


def test_the_fast_clock_shows_the_truth_too_late(parcel: Parcel) -> None:
    rooms = parcel.network.rooms
    fault = next(fault for fault in parcel.network.faults if fault.kind == "clock_shift")
    stored = of_rooms(parcel, "temperature")[fault.asset]
    at = np.flatnonzero((rooms.time >= fault.start) & (rooms.time < fault.stop - 3600))
    # 47 minutes fast: the value is in the cell 45 minutes later.
    assert np.abs(stored[at + 9] - rooms.temperature[fault.asset, at]).max() <= TENTH_OF_F


def test_doors_and_compressors_are_as_they_were_through_the_change_to_summer_time(parcel: Parcel) -> None:
    good = ~faulty(parcel, "clock_shift", "dropout")
    rooms = parcel.network.rooms
    change = (rooms.time >= 1774742400) & (rooms.time < 1774753200)
    assert good[:, change].any()
    for signal, truth in (("door", rooms.door), ("compressor", rooms.compressor)):
        assert np.array_equal(of_rooms(parcel, signal)[good], truth[good])


def test_every_report_of_a_truck_is_in_its_cell(parcel: Parcel) -> None:
    tracks, reported = parcel.network.tracks, parcel.network.reported
    history = parcel.twin.history("truck").compute()
    for truck in range(parcel.network.size.trucks):
        own = np.flatnonzero((tracks.truck == truck) & ~reported.silent)
        cell = parcel.times(tracks.time[own] // 300 * 300)
        one = history.sel(asset=parcel.network.truck(truck)).sel(time=cell)
        for signal, step in (
            ("latitude", 1e-5),
            ("longitude", 1e-5),
            ("speed", 0.17),
            ("odometer", 0.11),
            ("fuel", 0.11),
        ):
            truth = getattr(reported.tracks, signal)[own]
            assert np.abs(one[signal].values - truth).max() <= step, signal
        assert int(history.latitude.sel(asset=parcel.network.truck(truck)).notnull().sum()) == len(own)


def test_every_report_of_a_forklift_is_in_its_cell(parcel: Parcel) -> None:
    forklifts = parcel.network.forklifts
    history = parcel.twin.history("forklift").compute()
    heard = ~parcel.network.forklift_silent
    stored = history.sel(
        asset=[parcel.network.forklift(number) for number in range(len(forklifts))], time=parcel.times(forklifts.time)
    )
    for signal, truth, step in (
        ("battery", forklifts.battery, 0.051),
        ("load", forklifts.load, 0.51),
        ("mode", forklifts.mode, 0),
    ):
        values = stored[signal].transpose("asset", "time").values
        assert np.abs(values.astype(float) - truth)[heard].max() <= step, signal


def test_every_leg_is_an_event_on_a_real_trip(parcel: Parcel) -> None:
    network = parcel.network
    parcels, trips, stop = network.parcels, network.trips, network.size.span[1]
    legs = parcel.twin.events("leg").set_index("event_id")
    ids = [
        f"{number + FIRST_NUMBER}/{leg}"
        for number, leg in zip(parcels.leg_parcel.tolist(), parcels.leg_number.tolist(), strict=True)
    ]
    assert sorted(legs.index) == sorted(ids)
    legs = legs.loc[ids]
    trip = parcels.leg_trip
    assert legs["truck"].tolist() == [network.truck(truck) for truck in trips.truck[trip].tolist()]
    for column, truth in (("start", trips.start), ("end", trips.end)):
        known = truth[trip] < stop
        assert (legs[column].to_numpy()[known] == parcel.times(truth[trip][known])).all()
        assert legs[column].isna().to_numpy().tolist() == (~known).tolist()
    for column, truth in (("planned_start", trips.planned_start), ("planned_end", trips.planned_end)):
        assert (legs[column].to_numpy() == parcel.times(truth[trip])).all()


def test_legs_agree_with_the_dispatcher_s_trips(parcel: Parcel) -> None:
    trips = parcel.twin.events("trip").set_index("event_id")
    legs = parcel.twin.events("leg")
    assert (legs["planned_start"].to_numpy() == trips.loc[legs["tour"], "planned_start"].to_numpy()).all()
    assert (legs["destination"].to_numpy() == trips.loc[legs["tour"], "destination"].to_numpy()).all()
    left = trips.loc[legs["tour"], "start"].to_numpy()
    seen = ~np.isnat(left)
    assert (legs["start"].to_numpy()[seen] == left[seen]).all()
    assert trips.loc[legs["tour"], "status"].ne("cancelled").all()


def test_no_truck_drives_two_trips_at_once(parcel: Parcel) -> None:
    trips = parcel.twin.events("trip").dropna(subset=["asset", "start"]).sort_values("start")
    for _, own in trips.groupby("asset"):
        assert (own["start"].to_numpy()[1:] >= own["end"].to_numpy()[:-1])[own["end"].notna().to_numpy()[:-1]].all()


def test_manual_edits_are_read_where_possible_and_left_empty_elsewhere(parcel: Parcel) -> None:
    edits = parcel.truth("hand_edits")
    trips = parcel.twin.events("trip").set_index("event_id")
    for edit in edits[edits["kind"] == "spelt readable"].itertuples():
        assert trips.loc[edit.trip, "asset"] == edit.truth
    for edit in edits[edits["kind"] == "spelt unreadable"].itertuples():
        assert pd.isna(trips.loc[edit.trip, "asset"])
    for edit in edits[edits["kind"] == "about"].itertuples():
        assert trips.loc[edit.trip, ["start", "end"]].isna().sum() == 1


def test_a_parcel_is_in_one_place_at_a_time(parcel: Parcel) -> None:
    parts = [parcel.twin.relationships(name) for name in ("carried_by", "held_at")]
    assert not any(part["valid_from"].isna().any() for part in parts)
    places = pd.concat(parts).sort_values(["source", "valid_from"])
    same = places["source"].to_numpy()[1:] == places["source"].to_numpy()[:-1]
    until, since = places["valid_until"].to_numpy()[:-1], places["valid_from"].to_numpy()[1:]
    assert (until[same] == since[same]).all()


def test_what_belongs_where_changes_in_time(parcel: Parcel) -> None:
    for name in ("based_at", "works_at"):
        links = parcel.twin.relationships(name)
        assert links["source"].duplicated().any(), name
        changed = links[links["source"].duplicated(keep=False)].sort_values(["source", "valid_from"])
        assert (changed["valid_until"].to_numpy()[:-1:2] == changed["valid_from"].to_numpy()[1::2]).all()
    assert parcel.twin.relationships("part_of")["target"].tolist() == [
        parcel.network.hub(hub) for hub in parcel.network.rooms.hub.tolist()
    ]


def test_the_truth_about_doors_and_warm_rooms_is_seen_in_the_history(parcel: Parcel) -> None:
    history = parcel.twin.history("cold_room").compute()
    limits = parcel.twin.assets("cold_room")["upper_limit"]
    doors, warm = parcel.truth("situations", rule="door_open"), parcel.truth("situations", rule="too_warm")
    assert len(doors) >= 2
    assert len(warm) >= 1
    wrong = parcel.truth("faults", asset_type="cold_room")
    for rule, table in (("door", doors), ("temperature", warm)):
        for one in table.itertuples():
            end = one.end if pd.notna(one.end) else None
            other = wrong[(wrong["asset"] == one.asset) & (wrong["start"] < one.end) & (wrong["end"] > one.start)]
            if len(other):
                continue
            seen = history[rule].sel(asset=one.asset, time=slice(one.start, end)).values[:-1]
            assert (seen == 1).all() if rule == "door" else (seen > limits[one.asset] - TENTH_OF_F).all()


def test_the_truth_about_silent_trucks_and_late_legs_and_batteries_is_seen(parcel: Parcel) -> None:
    heard = parcel.twin.history("truck", signals=["odometer"]).odometer.compute()
    silent = parcel.truth("situations", rule="silent_truck")
    assert len(silent) >= 3
    for one in silent.itertuples():
        end = one.end if pd.notna(one.end) else parcel.network.size.stop.replace(tzinfo=None)
        inside = slice(one.start + pd.Timedelta("5min"), end - pd.Timedelta("5min"))
        assert heard.sel(asset=one.asset, time=inside).isnull().all()
    legs = parcel.twin.events("leg").set_index("event_id")
    ended = legs["end"].fillna(pd.Timestamp(parcel.network.size.stop.replace(tzinfo=None)))
    late = legs[legs["start"].notna() & (ended - legs["planned_end"] > pd.Timedelta("30min"))]
    assert sorted(late.index) == sorted(parcel.truth("situations", rule="late_leg")["event_id"])
    battery = parcel.twin.history("forklift", signals=["battery"]).battery.compute()
    low = parcel.truth("situations", rule="low_battery")
    for one in low.itertuples():
        seen = battery.sel(asset=one.asset, time=slice(one.start, one.end if pd.notna(one.end) else None)).values[:-1]
        assert np.nanmax(seen, initial=0) <= 15


def test_the_rules_find_what_truly_happened(parcel: Parcel) -> None:
    begin, stop = (str(np.datetime64(when, "s")) for when in parcel.network.size.span)
    truth = parcel.truth("situations")
    for rule in ("too_warm", "door_open", "silent_truck", "low_battery", "late_leg"):
        found = episodes(parcel.twin, rule, start=begin, stop=stop)
        wanted = truth[truth["rule"] == rule]
        assert sorted(found["asset"]) == sorted(wanted["asset"]), rule
    # Where "ca. 17:31" was typed over the time, a trip seems never to have left.
    late = set(episodes(parcel.twin, "late_trip", start=begin, stop=stop)["event_id"])
    typed = parcel.truth("hand_edits", column="Abfahrt Ist")
    assert late - set(typed["trip"]) == set(truth.loc[truth["rule"] == "late_trip", "event_id"]) - set(typed["trip"])
