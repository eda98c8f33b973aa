"""Tables of the truth: planted faults, situations that the rules should find, and manual edits."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from twinlab.plant.files.dispatch import Edit
from twinlab.plant.network.clocks import Ints
from twinlab.plant.network.network import Network
from twinlab.plant.network.parcels import FIRST_NUMBER

__all__ = ["LATE", "LONG_OPEN", "LONG_WARM", "LOW", "SILENT", "instant", "write_edits", "write_table", "write_truth"]

#: Thresholds of situations: a leg or trip is late, a room warm, a door open, a truck silent for this long (seconds); a
#: battery is low (percent).
LATE, LONG_WARM, LONG_OPEN, SILENT, LOW = 1800, 600, 1200, 7200, 15.0

Row = Sequence[object]


def write_truth(network: Network, edits: Sequence[Edit], folder: Path) -> list[Path]:
    """Write the tables of truth as CSV, times in UTC; return their paths."""
    situations = [*_doors(network), *_warm(network), *_silent(network), *_late(network), *_low(network)]
    return [
        write_table(
            folder / "faults.csv",
            ("kind", "asset_type", "asset", "signal", "start", "end", "details"),
            _faults(network),
        ),
        write_table(
            folder / "situations.csv",
            ("rule", "asset_type", "asset", "event_type", "event_id", "start", "end", "details"),
            situations,
        ),
        write_edits(edits, folder),
    ]


def write_edits(edits: Sequence[Edit], folder: Path) -> Path:
    """Write the table of the manual edits of a workbook; return its path."""
    return write_table(folder / "hand_edits.csv", tuple(one.name for one in fields(Edit)), map(astuple, edits))


def write_table(path: Path, header: Sequence[str], rows: Iterable[Row]) -> Path:
    """Write a table as CSV; return its path."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def instant(seconds: int) -> str:
    """Return an instant in UTC; an empty text for 0, a situation that lasts beyond the end of the files.

    >>> instant(0), instant(60)
    ('', '1970-01-01T00:01:00')
    """
    return str(np.datetime64(seconds, "s")) if seconds else ""


def _faults(network: Network) -> Iterator[Row]:
    for fault in network.faults:
        name = network.asset(fault.asset_type, fault.asset)
        details = json.dumps(fault.details)
        yield fault.kind, fault.asset_type, name, fault.signal, instant(fault.start), instant(fault.stop), details


def _runs(mask: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield ``first, last + 1`` of each run of True.

    >>> list(_runs(np.array([False, True, True, False, True])))
    [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _spans(time: Ints, mask: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int, slice]]:
    """Yield start, end (0 if beyond the end of the files) and the slice of samples of each run of True."""
    for first, last in _runs(mask):
        yield int(time[first]), int(time[last]) if last < len(time) else 0, slice(first, last)


def _doors(network: Network) -> Iterator[Row]:
    for room, first, last in network.rooms.left_open.tolist():
        if last - first >= LONG_OPEN:
            end = last if last < network.size.span[1] else 0
            yield "door_open", "cold_room", network.room(room), "", "", instant(first), instant(end), "{}"


def _warm(network: Network) -> Iterator[Row]:
    rooms, stop = network.rooms, network.size.span[1]
    for room in range(len(rooms)):
        limit = float(rooms.upper_limit[room])
        for first, last, at in _spans(rooms.time, rooms.temperature[room] > limit):
            if (last or stop) - first >= LONG_WARM:
                details = json.dumps({"limit": limit, "worst": round(float(rooms.temperature[room, at].max()), 2)})
                yield "too_warm", "cold_room", network.room(room), "", "", instant(first), instant(last), details


def _silent(network: Network) -> Iterator[Row]:
    tracks, silent = network.reported.tracks, network.reported.silent
    for fault in network.faults:
        if fault.kind != "silent":
            continue
        heard = tracks.time[(tracks.truck == fault.asset) & ~silent]
        before, after = heard[heard < fault.start], heard[heard >= fault.stop]
        first = int(before[-1]) if len(before) else network.size.span[0]
        last = int(after[0]) if len(after) else 0
        if (last or network.size.span[1]) - first > SILENT:
            yield "silent_truck", "truck", network.truck(fault.asset), "", "", instant(first), instant(last), "{}"


def _late(network: Network) -> Iterator[Row]:
    parcels, trips, stop = network.parcels, network.trips, network.size.span[1]
    trip = parcels.leg_trip
    late = np.minimum(trips.end[trip], stop) - trips.planned_end[trip]
    for leg in np.flatnonzero(late > LATE).tolist():
        number = int(parcels.leg_parcel[leg]) + FIRST_NUMBER
        end = int(trips.end[trip[leg]])
        details = json.dumps({"late_min": int(late[leg]) // 60, "tour": f"TR{int(trip[leg]) + 1:05d}"})
        yield (
            "late_leg", "parcel", str(number), "leg", f"{number}/{int(parcels.leg_number[leg])}",
            instant(int(trips.planned_end[trip[leg]])), instant(end if end < stop else 0), details,
        )  # fmt: skip
    late = np.where(trips.cancelled, 0, np.minimum(trips.start, stop) - trips.planned_start)
    for one in np.flatnonzero(late > LATE).tolist():
        start, truck = int(trips.start[one]), network.truck(int(trips.truck[one]))
        yield (
            "late_trip", "truck", truck, "trip", f"TR{one + 1:05d}", instant(int(trips.planned_start[one])),
            instant(start if start < stop else 0), json.dumps({"late_min": int(late[one]) // 60}),
        )  # fmt: skip


def _low(network: Network) -> Iterator[Row]:
    forklifts = network.forklifts
    for forklift in range(len(forklifts)):
        time = forklifts.time + forklifts.offset[forklift]
        for first, last, at in _spans(time, forklifts.battery[forklift] < LOW):
            details = json.dumps({"worst": round(float(forklifts.battery[forklift, at].min()), 1)})
            yield "low_battery", "forklift", network.forklift(forklift), "", "", instant(first), instant(last), details
