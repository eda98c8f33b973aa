"""Telematics files: JSON lines per week, from two makers of truck units and from the forklifts."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from twinlab.plant.network.clocks import DAY, Floats, Ints, offset_text
from twinlab.plant.network.forklifts import CHARGING, DRIVING, IDLE
from twinlab.plant.network.network import Network

__all__ = ["write_telematics"]

_MILE, _GALLON = 1.609344, 3.785411784
_MODES = {IDLE: "idle", DRIVING: "drive", CHARGING: "charge"}


def write_telematics(network: Network, folder: Path, *, until: int | None = None) -> list[Path]:
    """Write the reports of trucks and forklifts, one file per week and source; return the paths.

    ``until`` (UTC seconds) leaves out what is later: a plant's timetable is that of all its weeks.
    """
    paths = []
    for week in range(network.size.weeks):
        begin = network.size.span[0] + 7 * DAY * week
        end = begin + 7 * DAY if until is None else min(begin + 7 * DAY, until)
        label = np.datetime64(begin, "s").astype("M8[D]")
        for name, lines in (
            ("fleetbox", _fleetbox(network, begin, end)),
            ("roadtrace", _roadtrace(network, begin, end)),
            ("forklifts", _forklifts(network, begin, end)),
        ):
            path = folder / f"{name}_{label}.jsonl.gz"
            if _write(path, lines):
                paths.append(path)
    return paths


def _write(path: Path, lines: list[str]) -> bool:
    """Write a compressed file without the current time in its header; return False without lines (no file is written)."""
    if not lines:
        return False
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=5, fileobj=raw, mtime=0) as stream:
        stream.write(("\n".join(lines) + "\n").encode())
    return True


def _reports(network: Network, begin: int, end: int, *, first_maker: bool) -> Ints:
    """Return the indices of the truck reports from ``begin`` until before ``end`` that units of one maker sent."""
    tracks = network.reported.tracks
    low, high = np.searchsorted(tracks.time, [begin, end])
    at = np.arange(low, high)
    at = at[~network.reported.silent[at]]
    found: Ints = at[(tracks.truck[at] < -(-network.size.trucks * 3 // 5)) == first_maker]
    return found


def _names(network: Network, at: Ints) -> list[str]:
    every = [network.truck(number) for number in range(network.size.trucks)]
    return [every[number] for number in network.reported.tracks.truck[at].tolist()]


def _fleetbox(network: Network, begin: int, end: int) -> list[str]:
    tracks, at = network.reported.tracks, _reports(network, begin, end, first_maker=True)
    rows = zip(
        _names(network, at), (tracks.time[at] * 1000).tolist(), tracks.latitude[at].tolist(),
        tracks.longitude[at].tolist(), tracks.speed[at].tolist(), tracks.odometer[at].tolist(),
        tracks.fuel[at].tolist(), strict=True,
    )  # fmt: skip
    form = '{"id":"%s","ts":%d,"gps":{"lat":%.5f,"lon":%.5f},"kmh":%.1f,"odo_km":%.1f,"fuel_l":%.1f}'
    lines = [form % row for row in rows]
    if network.condition is None:
        return lines
    brake, coolant = network.condition.temperatures.brake[at], network.condition.temperatures.coolant[at]
    return _with_more(lines, ',"brake_c":%.0f,"coolant_c":%.1f', brake, coolant)


def _roadtrace(network: Network, begin: int, end: int) -> list[str]:
    tracks, at = network.reported.tracks, _reports(network, begin, end, first_maker=False)
    rows = zip(
        _names(network, at), offset_text(tracks.time[at]), tracks.latitude[at].tolist(), tracks.longitude[at].tolist(),
        (tracks.speed[at] / _MILE).tolist(), (tracks.odometer[at] / _MILE).tolist(),
        (tracks.fuel[at] / _GALLON).tolist(), strict=True,
    )  # fmt: skip
    form = (
        '{"vehicle": "%s", "time": "%s", "position": {"latitude": %.5f, "longitude": %.5f}, '
        '"speed_mph": %.1f, "odometer_mi": %.2f, "fuel_gal": %.2f}'
    )
    lines = [form % row for row in rows]
    if network.condition is None:
        return lines
    brake, coolant = network.condition.temperatures.brake[at], network.condition.temperatures.coolant[at]
    return _with_more(lines, ', "brake_f": %.0f, "coolant_f": %.1f', brake * 1.8 + 32, coolant * 1.8 + 32)


def _forklifts(network: Network, begin: int, end: int) -> list[str]:
    forklifts = network.sent
    low, high = np.searchsorted(forklifts.time, [begin, end])
    time = forklifts.time[low:high] + forklifts.offset[:, None]
    order = np.argsort(time.ravel(), kind="stable")
    order = order[~network.forklift_silent[:, low:high].ravel()[order]]
    names = np.array([network.forklift(number) for number in range(len(forklifts))])
    rows = zip(
        names[order // (high - low)].tolist(), offset_text(time.ravel()[order]),
        forklifts.battery[:, low:high].ravel()[order].tolist(), forklifts.load[:, low:high].ravel()[order].tolist(),
        forklifts.mode[:, low:high].ravel()[order].tolist(), strict=True,
    )  # fmt: skip
    lines = [
        f'{{"lift":"{name}","at":"{when}","battery":{{"pct":{battery:.1f}}},"load_kg":{load:.0f},"mode":"{_MODES[mode]}"}}'
        for name, when, battery, load, mode in rows
    ]
    if network.condition is None:
        return lines
    return _with_more(lines, ',"volt":%.2f', network.condition.voltage[:, low:high].ravel()[order])


def _with_more(lines: list[str], form: str, *columns: Floats) -> list[str]:
    """Return JSON objects with more values at their ends."""
    rows = zip(lines, zip(*(column.tolist() for column in columns), strict=True), strict=True)
    return [f"{line[:-1]}{form % values}}}" for line, values in rows]
