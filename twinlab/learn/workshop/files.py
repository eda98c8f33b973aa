"""Files of the workshop's loggers and drives, and the faults that are planted in them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

__all__ = [
    "CELSIUS",
    "CORRECTED",
    "PERSONS",
    "SCANS",
    "write_corrected",
    "write_drives",
    "write_loggers",
    "write_rooms",
]

_BEGIN, _DAYS = datetime(2026, 3, 2, tzinfo=UTC), 4
#: Room -> seconds between two rows of its logger.
SCANS = {"A": 300, "B": 150, "C": 60}
#: Room -> span [start, stop) in which its logger wrote °C, though its column says °F.
CELSIUS = {
    "B": (datetime(2026, 3, 3, 6, tzinfo=UTC), datetime(2026, 3, 3, 18, tzinfo=UTC)),
    "C": (datetime(2026, 3, 4, 8, tzinfo=UTC), datetime(2026, 3, 5, 2, tzinfo=UTC)),
}
#: Room -> instant of which a corrected file states another value, and this value in °F.
CORRECTED = {
    "A": (datetime(2026, 3, 2, 10, tzinfo=UTC), 39.0),
    "B": (datetime(2026, 3, 2, 14, 2, 30, tzinfo=UTC), 41.2),
}

#: Forklift -> metres to the nearest person.
PERSONS = {"V1": 12.0, "V2": 1.2}


def write_rooms(folder: Path) -> Path:
    """Write the list of rooms; return the file."""
    path = folder / "rooms.csv"
    path.write_text("room,upper_limit\nA,8\nB,8\nC,8\n", encoding="utf-8")
    return path


def write_loggers(folder: Path) -> Path:
    """Write what the loggers wrote first; return the file."""
    return _write(folder / "loggers.csv", "time,room,temp", _logged({}))


def write_corrected(folder: Path) -> Path:
    """Write the loggers' file again, with the corrected values; return the file."""
    return _write(folder / "loggers.csv", "time,room,temp", _logged(CORRECTED))


def write_drives(folder: Path, now: datetime) -> Path:
    """Write what forklifts reported in the last hour before an instant; return the file."""
    last = now.replace(second=0, microsecond=0)
    rows = (
        (last - timedelta(minutes=minutes), name, near)
        for minutes in range(60, -1, -5)
        for name, near in PERSONS.items()
    )
    path = folder / f"drives_{last:%Y%m%dT%H%M}.csv"
    return _write(
        path, "time,forklift,max_speed,person_distance", (f"{_iso(at)},{name},8,{near}" for at, name, near in rows)
    )


def _logged(corrected: dict[str, tuple[datetime, float]]) -> Iterator[str]:
    for place, (room, seconds) in enumerate(SCANS.items()):
        begin, end = CELSIUS.get(room, (_BEGIN, _BEGIN))
        at = _BEGIN
        while at < _BEGIN + timedelta(days=_DAYS):
            hours = (at - _BEGIN).total_seconds() / 3600
            # A day's course, and the compressor's own.
            celsius = 3.5 + 0.3 * place + 0.8 * math.sin(hours / 24 * 2 * math.pi) + 0.4 * math.sin(hours * 4)
            value = celsius if begin <= at < end else celsius * 1.8 + 32
            instant, other = corrected.get(room, (None, 0.0))
            yield f"{_iso(at)},{room},{other if at == instant else round(value, 1)}"
            at += timedelta(seconds=seconds)


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _write(path: Path, header: str, rows: Iterator[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path
