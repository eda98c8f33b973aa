"""A small twin with planted exceptions, and a pilot whose measures are known from what was planted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.pilots import Pilot, open_pilot, start_pilot

MODEL = """\
twin: cold
title: Cold rooms
origin: 2026-03-01
asset_types:
  room:
    signals: {temperature: {unit: degC, resolution: 0.1, cadence: 10min}}
rules:
  warm: {on: room, when: temperature > 8 degC, lasting: 10min, severity: high}
alerts:
  warm_rooms: {rule: warm}
"""
MAPPING = """\
source: feed
tables:
- time: {column: time, zone: UTC}
  asset: {type: room, column: room}
  columns: {temp: {signal: temperature}}
"""
#: Room, when it was too warm, how long: one a day or fewer in the two weeks from 16 March on, and one in the baseline.
WARM = [
    ("A", "2026-03-05T10:00", "60min"), ("A", "2026-03-16T09:00", "60min"), ("B", "2026-03-17T09:00", "60min"), ("C", "2026-03-18T09:00", "60min"),
    ("A", "2026-03-19T09:00", "60min"), ("B", "2026-03-20T09:00", "60min"), ("C", "2026-03-23T09:00", "60min"), ("A", "2026-03-24T09:00", "60min"),
    ("B", "2026-03-25T09:00", "60min"), ("C", "2026-03-26T09:00", "60min"), ("A", "2026-03-27T09:00", "60min"),
]  # fmt: skip
#: Verdict on the alert of each exception of the pilot, in order; "" for none.
VERDICTS = ["accept", "accept", "reject", "accept", "accept", "accept", "", "accept", "reject", "accept"]
#: When a customer complained, about what, when somebody of ours had noticed it.
COMPLAINTS = [
    ("2026-03-05T12:00", "room/A", ""), ("2026-03-06T12:00", "room/B", "2026-03-06T11:00"), ("2026-03-09T12:00", "room/C", ""),
    # Found: the alerts of 16, 17 and 19 March. Too early: 20 March at 08:00. Of a room without an exception then: C on 17 March.
    ("2026-03-16T14:00", "room/A", ""), ("2026-03-17T14:00", "room/B", ""), ("2026-03-17T15:00", "room/C", "2026-03-17T14:30"),
    ("2026-03-19T14:00", "room/A", ""), ("2026-03-20T08:00", "room/B", ""),
]  # fmt: skip
SEARCHES = {"before": [300, 240, 420, 600, 360, 300, 480, 540], "during": [40, 35, 60, 55, 30, 45, 50, 65]}
CLEANING = {"before": [45, 60, 30, 50, 40, 55, 35], "during": [30, 50, 45, 40, 35, 60, 20]}


@dataclass(frozen=True)
class Planted:
    """A pilot with what was planted."""

    twin: tl.Twin
    folder: Path

    def open(self, now: str = "2026-04-02") -> Pilot:
        """Open the pilot as of an instant."""
        return open_pilot(self.folder, now=now)


def cold_twin(folder: Path) -> tl.Twin:
    """Return a twin of three rooms, with rows of four weeks."""
    (folder / "twin.yaml").write_text(MODEL)
    twin = tl.create(folder / "twin", model=folder / "twin.yaml")
    (twin.folder / "mapping").mkdir(exist_ok=True)
    (twin.folder / "mapping" / "feed.yaml").write_text(MAPPING)
    twin.reload()
    times = pd.date_range("2026-03-02", "2026-03-30", freq="10min", inclusive="left")
    for room in "ABC":
        temperature = np.full(len(times), 4.0)
        for one, start, duration in WARM:
            if one == room:
                low = pd.Timestamp(start)
                temperature[(times >= low) & (times < low + pd.Timedelta(duration))] = 9.0
        with twin.writer("feed") as writer:
            writer.append(pd.DataFrame({"time": times.strftime("%Y-%m-%dT%H:%M"), "room": room, "temp": temperature}))
    return twin


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A pilot that is over, with ten exceptions found, eight verdicts of people, and five complaints."""
    base = tmp_path_factory.mktemp("planted")
    twin = cold_twin(base)
    folder = base / "trial"
    start_pilot(folder, twin.folder, start="2026-03-16")
    rows = [
        (name, day, value, unit, "stopwatch")
        for name, phases, unit in (("time_to_find", SEARCHES, "s"), ("cleaning_time", CLEANING, "min"))
        for phase, values in phases.items()
        for day, value in zip(pd.date_range("2026-03-02" if phase == "before" else "2026-03-16", periods=len(values)).strftime("%Y-%m-%d"), values, strict=True)
    ]  # fmt: skip
    rows += [(name, f"2026-03-0{day}", value, "", "log of the old system") for day in (2, 3, 4) for name, value in (("alarms", 10), ("false_alarms", 6))]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["measure", "day", "value", "unit", "source"])
    frame.to_csv(folder / "measurements.csv", index=False)
    complaints = pd.DataFrame([(*one, "hotline") for one in COMPLAINTS], columns=["time", "about", "noticed", "source"])
    complaints.to_csv(folder / "complaints.csv", index=False)
    for day in pd.date_range("2026-03-16T10:00", "2026-03-29T10:00", freq="1D"):
        twin.run_alerts(now=day)
    alerts = twin.alerts().sort_values("noted")
    for key, verdict in zip(alerts["key"], VERDICTS, strict=True):
        if verdict:
            twin.annotate(key, verdict=verdict, author="dora")
    return Planted(twin, folder)
