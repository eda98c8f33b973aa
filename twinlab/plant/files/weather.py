"""The file of a weather service: gusts and rain at each hub, by the hour, in UTC."""

from __future__ import annotations

from pathlib import Path

from twinlab.plant.network.failures.weather import plan_weather
from twinlab.plant.network.network import Network
from twinlab.plant.network.towns import TOWNS

__all__ = ["write_weather"]

_HEADER = "Station;Zeit (UTC);Böe km/h;Niederschlag mm"
_KMH = 3.6


def write_weather(network: Network, folder: Path) -> list[Path]:
    """Write the weather at the hubs; return the path. Nothing is written without causes of delay."""
    if network.condition is None:
        return []
    weather = plan_weather(network.size, network.condition.disturbances.hindrances)
    times = weather.time.astype("M8[s]").tolist()
    lines = [_HEADER]
    for hub, town in enumerate(TOWNS[: network.size.hubs]):
        gusts, rain = (weather.gust[hub] * _KMH).tolist(), weather.rain[hub].tolist()
        lines += [
            f"{town.code};{time:%d.%m.%Y %H:%M};{gust:.0f};{wet:.1f}"
            for time, gust, wet in zip(times, gusts, rain, strict=True)
        ]
    path = folder / "wetter.csv"
    path.write_bytes("\r\n".join([*lines, ""]).encode("cp1252"))
    return [path]
