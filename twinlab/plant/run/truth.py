"""The truth of a run, recorded as it happens: Arrow streams of true states, and CSV tables of events, faults and commands."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from pathlib import Path
from time import time_ns
from types import TracebackType
from typing import Self, TextIO

import numpy as np
import pyarrow as pa

from twinlab.plant.network.names import asset_name
from twinlab.plant.network.parcels import FIRST_NUMBER
from twinlab.plant.steps.commands import COMMANDS
from twinlab.plant.steps.plant import Plant, Step

__all__ = ["TABLES", "Truth", "read_truth"]

_TIME, _RECORDED = ("time", pa.timestamp("s", tz="UTC")), ("recorded", pa.timestamp("us", tz="UTC"))
#: Stream -> its columns. Temperatures in °C, loads in kg, batteries in percent, odometers in km, fuel in litres. ``time`` is the
#: plant's, ``recorded`` when the row happened by this machine's clock: another one if the plant runs faster.
TABLES: dict[str, pa.Schema] = {
    "rooms": pa.schema([
        _TIME, ("room", pa.string()), ("temperature", pa.float64()), ("door", pa.bool_()), ("compressor", pa.bool_()),
        ("set_point", pa.float64()), _RECORDED,
    ]),
    "forklifts": pa.schema([
        _TIME, ("forklift", pa.string()), ("battery", pa.float64()), ("load", pa.float64()), ("mode", pa.int8()), _RECORDED,
    ]),
    "trucks": pa.schema([
        _TIME, ("truck", pa.string()), ("latitude", pa.float64()), ("longitude", pa.float64()), ("speed", pa.float64()),
        ("odometer", pa.float64()), ("fuel", pa.float64()), ("sent", pa.bool_()), _RECORDED,
    ]),
}  # fmt: skip
_EVENTS = ("time", "what", "id")
_FAULTS = ("time", "what", "kind", "asset_type", "asset", "signal", "details")
_COMMANDS = ("time", "kind", "asset", "value", "seconds")


class Truth:
    """Writes the truth of a run to a folder; a run that was killed leaves streams that can be read up to their last batch.

    Parameters
    ----------
    folder : path
        Created if it doesn't exist; must not have another run's truth.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._streams = {
            name: pa.ipc.new_stream(str(self.folder / f"{name}.arrows"), schema, options=options)
            for name, schema in TABLES.items()
        }
        self._tables = {
            name: _csv(self.folder / f"{name}.csv", header)
            for name, header in (("events", _EVENTS), ("faults", _FAULTS), ("commands", _COMMANDS))
        }
        self._commands = 0
        self._begun = False

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all files."""
        for stream in self._streams.values():
            stream.close()
        for table in self._tables.values():
            table.close()

    def record(self, plant: Plant, step: Step) -> None:
        """Record what happened in a step, and the commands since the last one; in the first step also the faults that are under way."""
        self._rooms(step)
        self._forklifts(plant, step)
        self._trucks(plant, step)
        self._events(plant, step)
        for fault in plant.faults:
            for what, when in (("begins", fault.start), ("ends", fault.stop)):
                under_way = not self._begun and what == "begins" and when < step.begin < fault.stop
                if step.begin <= when < step.end or under_way:
                    name = asset_name(fault.asset_type, fault.asset)
                    self.record_fault(when, what, (fault.kind, fault.asset_type, name, fault.signal), fault.details)
        self._begun = True
        self._failures(plant, step)
        for command in plant.state.commands[self._commands :]:
            name = asset_name(COMMANDS[command.kind].asset_type, command.asset)
            self._row("commands", _when(command.at), command.kind, name, command.value, command.seconds)
        self._commands = len(plant.state.commands)
        for table in self._tables.values():
            table.flush()

    def _failures(self, plant: Plant, step: Step) -> None:
        """Record failures in the table of faults: when their damage begins, when they happen, and when they are repaired."""
        if plant.plan.wear is None:
            return
        for one in plant.plan.wear.disturbances.failures:
            name, details = asset_name(one.asset_type, one.asset), {"cause": one.cause, "component": one.component}
            times = {"fails": one.failed, "is repaired": one.repaired}
            if one.onset < one.failed:
                times |= {"wears": one.onset, "shows wear": one.precursor}
            for what, when in times.items():
                if step.begin <= when < step.end:
                    self.record_fault(when, what, (one.kind, one.asset_type, name, ""), dict(details))

    def record_fault(
        self, when: int, what: str, fault: tuple[str, str, str, str], details: dict[str, float | str]
    ) -> None:
        """Record that a fault begins or ends, or what happens with a failure: its kind, asset type, asset and signal."""
        self._row("faults", _when(when), what, *fault, json.dumps(details))

    def _row(self, table: str, *cells: object) -> None:
        csv.writer(self._tables[table], lineterminator="\n").writerow(cells)

    def _batch(self, table: str, time: np.ndarray, *columns: object) -> None:
        if len(time):
            schema = TABLES[table]
            arrays = [pa.array(time.astype("M8[s]")).cast(schema.field("time").type)]
            arrays += [pa.array(column, schema.field(place).type) for place, column in enumerate(columns, 1)]
            now = pa.scalar(time_ns() // 1000, pa.int64()).cast(schema.field("recorded").type)
            arrays.append(pa.repeat(now, len(time)))
            self._streams[table].write_batch(pa.record_batch(arrays, schema=schema))

    def _rooms(self, step: Step) -> None:
        count, minutes = step.rooms.temperature.shape[1], step.rooms
        names = [asset_name("cold_room", room) for room in range(count)] * len(minutes.time)
        self._batch(
            "rooms", np.repeat(minutes.time, count), names, minutes.temperature.ravel(), minutes.door.ravel(),
            minutes.compressor.ravel(), np.tile(minutes.set_to, len(minutes.time)),
        )  # fmt: skip

    def _forklifts(self, plant: Plant, step: Step) -> None:
        count, samples = step.forklifts.battery.shape[1], step.forklifts
        time = (samples.time[:, None] + plant.plan.forklifts.offset).ravel()
        names = [asset_name("forklift", number) for number in range(count)] * len(samples.time)
        self._batch("forklifts", time, names, samples.battery.ravel(), samples.load.ravel(), samples.mode.ravel())

    def _trucks(self, plant: Plant, step: Step) -> None:
        tracks, at = plant.timetable.tracks, step.timed.reports
        names = [asset_name("truck", truck) for truck in tracks.truck[at].tolist()]
        self._batch(
            "trucks", tracks.time[at], names, tracks.latitude[at], tracks.longitude[at], tracks.speed[at],
            tracks.odometer[at], tracks.fuel[at], ~plant.timetable.reported.silent[at],
        )  # fmt: skip

    def _events(self, plant: Plant, step: Step) -> None:
        trips, parcels, timed = plant.timetable.trips, plant.timetable.parcels, step.timed
        happened = [
            *((int(trips.start[trip]), "departed", asset_name("trip", trip)) for trip in timed.departed.tolist()),
            *((int(trips.end[trip]), "arrived", asset_name("trip", trip)) for trip in timed.arrived.tolist()),
            *(
                (int(parcels.registered[one]), "registered", str(one + FIRST_NUMBER))
                for one in timed.registered.tolist()
            ),
            *((int(parcels.delivered[one]), "delivered", str(one + FIRST_NUMBER)) for one in timed.delivered.tolist()),
        ]
        for time, what, name in sorted(happened):
            self._row("events", _when(time), what, name)


def read_truth(folder: str | Path, table: str) -> pa.Table:
    """Return a stream of a run's truth, up to its last whole batch; empty if nothing has happened yet.

    Parameters
    ----------
    folder : path
        The run's folder ``truth``.
    table : {"rooms", "forklifts", "trucks"}
        Which stream.
    """
    batches: list[pa.RecordBatch] = []
    with pa.OSFile(str(Path(folder) / f"{table}.arrows")) as source:
        # A run that goes on, or was killed, ends in the middle of a batch or before the first one.
        with suppress(StopIteration, pa.ArrowInvalid, OSError):
            reader = pa.ipc.open_stream(source)
            while True:
                batches.append(reader.read_next_batch())
        return pa.Table.from_batches(batches, TABLES[table])


def _csv(path: Path, header: tuple[str, ...]) -> TextIO:
    stream = path.open("w", encoding="utf-8", newline="")
    csv.writer(stream, lineterminator="\n").writerow(header)
    return stream


def _when(seconds: int) -> str:
    """Return an instant in UTC.

    >>> _when(60)
    '1970-01-01T00:01:00Z'
    """
    return f"{np.datetime64(seconds, 's')}Z"
