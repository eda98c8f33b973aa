"""Files of the cold-room loggers: °F, decimal commas, local time; one logger is configured in English."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from twinlab.plant.network.clocks import Floats, to_local
from twinlab.plant.network.network import Network

__all__ = ["write_loggers"]

#: Hub whose logger is configured in English.
_ENGLISH = 1
_WORDS = {False: (("zu", "auf"), ("aus", "ein")), True: (("closed", "open"), ("off", "on"))}


def write_loggers(network: Network, folder: Path) -> list[Path]:
    """Write one CSV file per hub with cold rooms; return the paths."""
    return [_write(network, hub, folder) for hub in np.unique(network.rooms.hub).tolist()]


def _write(network: Network, hub: int, folder: Path) -> Path:
    rooms, logged = network.rooms, network.logged
    english = hub == _ENGLISH
    members = np.flatnonzero(rooms.hub == hub)
    # Samples in order of time, then of room.
    celsius, wrong = logged.temperature[members].T.ravel(), logged.celsius[members].T.ravel()
    written = np.where(wrong, celsius, celsius * 1.8 + 32.0)
    time = (rooms.time[:, None] + logged.fast[members].T).ravel()
    room = np.broadcast_to(np.array([network.room(one) for one in members.tolist()]), (len(rooms.time), len(members)))
    keep = ~logged.silent[members].T.ravel()
    days, clocks = _wall(time[keep])
    doors, motors = _WORDS[english]
    door = np.array(doors)[rooms.door[members].T.ravel()[keep]]
    motor = np.array(motors)[rooms.compressor[members].T.ravel()[keep]]
    between = " " if english else ";"
    values = _numbers(written[keep], english=english)
    columns = (days, clocks, room.ravel()[keep].tolist(), values, door.tolist(), motor.tolist())
    lines = [
        f"{day}{between}{clock};{one};{value};{leaf};{motion}"
        for day, clock, one, value, leaf, motion in zip(*columns, strict=True)
    ]
    if network.condition is not None:
        currents = _numbers(network.condition.current[members].T.ravel()[keep], english=english)
        lines = [f"{line};{current}" for line, current in zip(lines, currents, strict=True)]
    path = folder / f"kuehllogger_{network.hub(hub)}.csv"
    text = "\r\n".join([*_head(network, hub, english=english), *lines, ""])
    path.write_bytes(text.encode("cp1252"))
    return path


def _numbers(values: Floats, *, english: bool) -> list[str]:
    """Return numbers as text, with a decimal comma in German; empty where a sensor has no value."""
    texts = [f"{value:.1f}" if value == value else "" for value in values.tolist()]  # noqa: PLR0124  (NaN)
    return texts if english else [text.replace(".", ",") for text in texts]


def _wall(time: np.ndarray) -> tuple[list[str], list[str]]:
    """Return local dates and clock times as text; each distinct one is formatted once."""
    wall = to_local(time)
    days, of_day = np.unique(wall // 86_400, return_inverse=True)
    spelt = np.array([_german(day) for day in (days * 86_400).astype("M8[s]").astype(str).tolist()])
    clocks, of_clock = np.unique(wall % 86_400 // 60, return_inverse=True)
    shown = np.array([f"{clock // 60:02d}:{clock % 60:02d}" for clock in clocks.tolist()])
    return spelt[of_day].tolist(), shown[of_clock].tolist()


def _german(day: str) -> str:
    return f"{day[8:10]}.{day[5:7]}.{day[:4]}"


def _head(network: Network, hub: int, *, english: bool) -> list[str]:
    serial = 40_200 + 7 * hub
    measured = network.condition is not None
    if english:
        return [
            f"COLDTRACK 300 export;S/N {serial}",
            f"Site;{network.hub(hub)}",
            "",
            "Timestamp;Room;Temp [°F];Door;Compressor" + (";Current [A]" if measured else ""),
        ]
    return [
        f"Kühlraumüberwachung {network.hub(hub)}",
        f"Gerät: COLDTRACK 300;Seriennr. {serial}",
        "Uhr: Ortszeit;Einheit: Fahrenheit",
        "Intervall: 5 min",
        "",
        "Datum;Uhrzeit;Raum;Temperatur °F;Tür;Verdichter" + (";Strom A" if measured else ""),
    ]
