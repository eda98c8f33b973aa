"""Run by test_kills: children append rows, remap, promote and roll back until they are killed at a random moment.

After each kill the published history must be wholly that of the old or of the new mapping, with all acknowledged rows; both for a
reader that changes nothing and for a twin that is opened, which completes a promotion that was interrupted.
Usage: kill_revisions.py FOLDER KILLS SEED. Prints "kills <n>, …" if all is well.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

import twinlab as tl
from twinlab.history import HistoryReader
from twinlab.ledger import Ledger
from twinlab.twin.definitions import read_definitions
from twinlab.twin.revisions.revision_log import RevisionLog

MODEL = """\
twin: rooms
origin: 2026-01-01
asset_types:
  room:
    signals:
      temperature: {unit: degC, resolution: 0.01, cadence: 1min, sensor_span: [-500, 500]}
      humidity: {unit: "%", resolution: 1, cadence: 1min}
"""
MAPPING = """\
source: rooms
tables:
  - table: rooms
    time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns:
      t: {signal: temperature, unit: degC}
      h: {signal: humidity, unit: "%"}
"""
FAHRENHEIT = MAPPING.replace("unit: degC", "unit: degF")
ROOMS = ("a", "b", "c")
START = pd.Timestamp("2026-01-01")
BATCH = 60


def rows(first: int, stop: int) -> pd.DataFrame:
    at = np.repeat(np.arange(first, stop), len(ROOMS))
    return pd.DataFrame(
        {
            "time": (START + pd.to_timedelta(at, unit="min")).strftime("%Y-%m-%dT%H:%M:%S"),
            "room": list(ROOMS) * (stop - first),
            "t": value(at),
            "h": at % 100,
        }
    )


def value(at: np.ndarray) -> np.ndarray:
    return 50.0 + at % 37


def acknowledged(folder: Path) -> int:
    path = folder.parent / f"{folder.name}.acknowledged"
    return int(path.read_text() or 0) if path.exists() else 0


def append(twin: tl.Twin, minutes: int) -> None:
    first = twin.ledger.reader("rooms").position() // len(ROOMS)
    with twin.writer("rooms") as writer:
        writer.append(rows(first, first + minutes), table="rooms")
        place = twin.folder.parent / f"{twin.folder.name}.acknowledged"
        draft = place.with_suffix(".draft")
        draft.write_text(str(first + minutes))
        draft.replace(place)


def work(folder: Path) -> None:
    twin = tl.open(folder)
    while True:
        wrong = twin.reader.mappings["rooms"].tables[0].columns["t"][0].unit == "degC"
        rev = twin.remap("rooms", FAHRENHEIT if wrong else MAPPING, author="child")
        append(twin, random.randrange(1, BATCH))
        if random.random() < 0.2:
            rev.discard()
            continue
        rev.promote(author="child")
        append(twin, 1)
        if random.random() < 0.6:
            twin.rollback(author="child")


def check(reader: HistoryReader, minutes: int) -> str:
    """Return which mapping the whole history was built with; raise AssertionError if it is neither or a row is lacking."""
    data = reader.history("room").compute()
    raw = value(np.arange(data.sizes["time"]))
    assert data.sizes["time"] >= minutes, f"{minutes} minutes were acknowledged, the history has {data.sizes['time']}"
    found = {
        name: all(np.allclose(data.temperature.sel(asset=room), wanted, atol=0.006) for room in ROOMS)
        for name, wanted in (("degC", raw), ("degF", (raw - 32) / 1.8))
    }
    assert any(found.values()), (
        f"neither the old nor the new state: {data.temperature.values[:3]} to {data.temperature.values[-3:]}"
    )
    assert (data.humidity.values[:minutes] == (np.arange(minutes) % 100)[:, None]).all()
    return next(name for name, whole in found.items() if whole)


def check_all(folder: Path) -> None:
    """Check what a reader and a twin that is opened show, and note promotions that the opening completed."""
    minutes = acknowledged(folder)
    ledger = Ledger(folder / "ledger")
    interrupted = len(RevisionLog(ledger.journal).promoting())
    check(HistoryReader(folder, ledger, *read_definitions(folder)), minutes)
    twin = tl.open(folder)
    shown = check(twin.reader, minutes)
    assert not twin.revision_log.promoting()
    assert twin.edits() == [], twin.edits()
    unit = read_definitions(folder)[1]["rooms"].tables[0].columns["t"][0].unit
    assert unit == shown, f"the file says {unit}, the history shows {shown}"
    place = folder.parent / "interrupted"
    place.write_text(str(interrupted + (int(place.read_text()) if place.exists() else 0)))
    (folder.parent / "promoted").write_text(str(len(twin.revision_log.promoted())))


def forked(action: Callable[[], None]) -> int:
    """Start an action in a child process; return its number. Only children open a history: its threads don't survive a fork."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:  # noqa: BLE001  (the child must not go on as if it were the parent)
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def done(child: int) -> None:
    """Wait for a child, and fail if it did."""
    if os.waitpid(child, 0)[1]:
        sys.stdout.write("a child failed")
        raise SystemExit(1)


def begin(folder: Path) -> None:
    (folder.parent / "model.yaml").write_text(MODEL)
    (folder.parent / "rooms.yaml").write_text(MAPPING)
    append(tl.create(folder, model=folder.parent / "model.yaml", mappings=folder.parent / "rooms.yaml"), 300)


def work_with(folder: Path, seed: int) -> None:
    random.seed(seed)
    work(folder)


def main() -> None:
    folder, kills, seed = Path(sys.argv[1]) / "twin", int(sys.argv[2]), int(sys.argv[3])
    random.seed(seed)
    done(forked(partial(begin, folder)))
    for number in range(kills):
        child = forked(partial(work_with, folder, seed * 1000 + number))
        time.sleep(random.uniform(0.2, 2.0))
        os.kill(child, signal.SIGKILL)
        if os.WIFEXITED(os.waitpid(child, 0)[1]):
            sys.stdout.write("a child failed before it was killed")
            raise SystemExit(1)
        done(forked(partial(check_all, folder)))
    promoted, interrupted = ((folder.parent / name).read_text() for name in ("promoted", "interrupted"))
    sys.stdout.write(f"kills {kills}, {promoted} promotions, of which {interrupted} were completed after a kill")


if __name__ == "__main__":
    main()
