"""The rule that looks for false values of sensors whose certificates and signatures are valid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinlab.events.intrusion.rule import Finding, IntrusionRule
from twinlab.events.intrusion.sensors.cells import SensorCells, read_sensor
from twinlab.events.intrusion.sensors.deviations import Deviation, Windows, deviations

if TYPE_CHECKING:
    from twinlab.model.intrusion.section import SecurityRule
    from twinlab.model.reader import TwinReader

__all__ = ["FALSE_SENSOR", "false_values"]

_HOUR = 3_600 * 10**9
#: Durations of windows; each has at least so many rows.
_CHANGE, _LEVEL, _REPEAT = 2 * _HOUR, 6 * _HOUR, 2 * _HOUR
_LEAST_CHANGE, _LEAST_LEVEL, _LEAST_REPEAT = 6, 12, 16
#: Share of the usual span that must be there.
_NEEDED = 0.4
_WORDS = {
    "repeats earlier values": "{rows} values in a row equal earlier ones of this or another sensor, to the last digit",
    "stays": "the value stays the same for {rows} rows, longer than ever in the usual span",
    "changes against physics": "changes don't fit what else happens in the asset: {amount:.1f} times the limit",
    "level against physics and peers": "the level doesn't fit the asset's other signals and its peers: {amount:.1f} times the limit",
}


def false_values(twin: TwinReader, start_ns: int, stop_ns: int, settings: SecurityRule) -> Sequence[Finding]:
    """Return spans of false values that overlap ``[start, stop)``, of the signals that the settings name."""
    found: list[Finding] = []
    for name in settings.sensors:
        asset_type, _, signal = name.partition(".")
        cells = read_sensor(twin, asset_type, signal, start_ns - settings.usual_ns, stop_ns)
        found += [_finding(one, cells, asset_type, signal) for one in _deviations(cells, start_ns, settings)]
    return found


def _deviations(cells: SensorCells, start_ns: int, settings: SecurityRule) -> list[Deviation]:
    usual = int((cells.times < start_ns).sum())
    if len(cells.times) < 2 or usual < 2:
        return []
    step = int(cells.times[1] - cells.times[0])
    if usual * step < _NEEDED * settings.usual_ns:
        return []
    windows = Windows(
        max(_CHANGE // step, _LEAST_CHANGE), max(_LEVEL // step, _LEAST_LEVEL), max(_REPEAT // step, _LEAST_REPEAT)
    )
    return deviations(cells.values, cells.others, usual=usual, windows=windows, factor=settings.factor)


def _finding(one: Deviation, cells: SensorCells, asset_type: str, signal: str) -> Finding:
    step = int(cells.times[1] - cells.times[0])
    text = _WORDS[one.kind].format(rows=one.stop - one.first, amount=one.amount)
    start, end = int(cells.times[one.first]), int(cells.times[one.stop - 1]) + step
    return Finding(
        "false_sensor",
        f"{asset_type}/{cells.assets[one.asset]}",
        start,
        end,
        f"{signal}: {text}",
        1,
        "",
        (f"{signal}: {text}",),
    )


FALSE_SENSOR = IntrusionRule("false_sensor", "False values of a valid sensor", "high", search=false_values)
