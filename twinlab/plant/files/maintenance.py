"""The maintenance logs: one CSV file for each workshop, written by hand, in local time, days late."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twinlab.plant.network.clocks import DAY, HOUR, to_local
from twinlab.plant.network.failures.failure import Failure
from twinlab.plant.network.failures.kinds import KINDS
from twinlab.plant.network.network import Network

__all__ = ["LogEntry", "maintenance_log", "write_maintenance"]

#: Asset type -> the workshop's file.
_FILES = {"cold_room": "wartung_kaelte", "forklift": "wartung_stapler", "truck": "wartung_lkw"}
#: How the workshops call what failed.
_COMPONENTS = {
    "compressor": "Verdichter", "door seal": "Türdichtung", "temperature sensor": "Temperaturfühler", "battery": "Batterie",
    "brake": "Bremse", "cooling": "Motorkühlung",
}  # fmt: skip
_HEADER = "Auftrag;Anlage;Bauteil;Störung ab;Erledigt;Befund;Maßnahme;Erfasst"
#: Share of the entries in which the asset is written in a way that software can't read.
_UNREADABLE = 0.04


@dataclass(frozen=True)
class LogEntry:
    """An entry of a maintenance log; times are UTC seconds, as people wrote them down."""

    order: str
    failure: Failure
    asset: str
    """As it is written."""
    readable: bool
    begin: int
    end: int
    finding: str
    work: str
    entered: int
    """When somebody wrote it down; nobody knows of the entry before."""


def maintenance_log(network: Network) -> list[LogEntry]:
    """Return the entries of all workshops about failures, in the order in which they are entered; none without failures."""
    if network.condition is None:
        return []
    random = network.size.random("maintenance log")
    found = []
    for failure in network.condition.disturbances.failures:
        finding, work = _texts(failure, random)
        name, number = network.asset(failure.asset_type, failure.asset), failure.asset + 1
        readable = bool(random.random() >= _UNREADABLE)
        text = (name, name, f"{name} dringend", f"Anlage {name}")[random.integers(4)] if readable else f"Nr. {number}"
        # Somebody notices it after a while, and writes down a round time.
        begin = (failure.failed + int(random.integers(0, 40)) * 60) // 300 * 300
        end = max(failure.repaired // 900 * 900, begin + 900)
        entered = end + int(min(random.exponential(10 * HOUR), 6 * DAY)) // 60 * 60
        found.append((entered, failure, text, readable, begin, end, finding, work))
    found.sort(key=lambda one: one[0])
    return [
        LogEntry(f"A{number:05d}", failure, text, readable, begin, end, finding, work, entered)
        for number, (entered, failure, text, readable, begin, end, finding, work) in enumerate(found, 1)
    ]


def write_maintenance(network: Network, folder: Path, *, until: int | None = None) -> list[Path]:
    """Write the log of each workshop; return the paths. Nothing is written without failures.

    ``until`` (UTC seconds, by default the end of the plan) leaves out what is entered later.
    """
    if network.condition is None:
        return []
    entries = [one for one in maintenance_log(network) if one.entered < (until or network.size.span[1])]
    paths = []
    for asset_type, name in _FILES.items():
        path = folder / f"{name}.csv"
        rows = [_row(one) for one in entries if one.failure.asset_type == asset_type]
        path.write_bytes("\r\n".join([_HEADER, *rows, ""]).encode("cp1252"))
        paths.append(path)
    return paths


def _texts(failure: Failure, random: np.random.Generator) -> tuple[str, str]:
    """Return what was found and what was done, in the words of one of the mechanics."""
    draws = int(random.integers(2**31)), random.random()
    if failure.kind not in KINDS:
        return ("Sicherung gefallen", "FI raus")[draws[0] % 2], "Sicherung neu"
    cause = next(one for one in KINDS[failure.kind].causes if one.name == failure.cause)
    text = cause.findings[draws[0] % len(cause.findings)]
    return text.lower() if draws[1] < 0.2 else text, cause.work


def _row(entry: LogEntry) -> str:
    times = to_local(np.array([entry.begin, entry.end, entry.entered])).astype("M8[s]").tolist()
    begin, end, entered = (f"{time:%d.%m.%Y %H:%M}" for time in times)
    component = _COMPONENTS[entry.failure.component]
    return f"{entry.order};{entry.asset};{component};{begin};{end};{entry.finding};{entry.work};{entered}"
