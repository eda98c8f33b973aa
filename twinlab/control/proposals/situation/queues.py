"""What waits at an asset's place now, and who works there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.control.proposals.effects.outcome import Unknown
from twinlab.control.proposals.effects.queues import Queue
from twinlab.control.proposals.situation.conditions import truth_of
from twinlab.control.proposals.situation.memory import Memory
from twinlab.events.present_state.latest_values import present
from twinlab.events.present_state.links import asset_codes, links_of
from twinlab.model.basics import parse_duration
from twinlab.model.commands.checks import present_condition
from twinlab.model.expressions.walk import signals_of
from twinlab.model.units import convert

if TYPE_CHECKING:
    from twinlab.model.commands.effects import QueueEffect
    from twinlab.model.reader import TwinReader

__all__ = ["place_of", "queue_now", "waiting_at"]

_TIMES = ("start", "planned_start", "planned_end", "end")
#: Arrivals that show how punctual they are, how many are needed, and the values that are taken: the outer two count as often as the others,
#: which is on the safe side.
_LEARNT, _FEWEST, _QUANTILES = np.timedelta64(28, "D"), 20, (0.03, 0.2, 0.4, 0.6, 0.8, 0.97)


def queue_now(
    twin: TwinReader,
    asset_type: str,
    asset: str,
    options: QueueEffect,
    *,
    speed: str,
    now: np.datetime64,
    memory: Memory,
) -> Queue | Unknown:
    """Return what waits at the place of an asset, and who works there, or why that isn't known.

    Parameters
    ----------
    twin : TwinReader
    asset_type, asset : str
    options : QueueEffect
    speed : str
        Signal with the highest speed of an asset.
    now : datetime64
        Present, UTC.
    memory : dict
        What was learnt from the past before, for the next call.
    """
    at = int(now.astype("M8[ns]").astype(np.int64))
    place_type = twin.model.relationships[options.place].target
    place = place_of(twin, asset_type, asset, options, at)
    if place is None:
        return Unknown(f"{asset_type}/{asset} is at no {place_type} now ({options.place})")
    crew = links_of(twin, options.place)
    here = crew.valid(at)
    names = asset_codes(twin, asset_type)
    workers = [str(names[code]) for code in np.unique(crew.source[here][crew.target[here] == place])]
    working = _working(twin, asset_type, workers, options, now)
    unknown = [name for name, works in working.items() if works is None]
    if unknown:
        return Unknown(f"whether {', '.join(unknown)} work isn't known ({options.working})")
    others = [name for name in workers if name != asset and working[name]]
    speeds = _speeds(twin, asset_type, others, speed, now)
    if np.isnan(speeds).any():
        lost = ", ".join(name for name, one in zip(others, speeds, strict=True) if np.isnan(one))
        return Unknown(f"the highest speed of {lost}, which work there too, isn't known")
    title = str(asset_codes(twin, place_type)[place])
    shifts = _shifts(twin, options, now, memory)
    arrivals = _arrivals(twin, options, title, now, earliest=min(shifts))
    waiting = waiting_at(twin, options, place, at)
    return Queue(title, waiting, arrivals, tuple(speeds.tolist()), bool(working[asset]), shifts)


def _working(
    twin: TwinReader, asset_type: str, workers: list[str], options: QueueEffect, now: np.datetime64
) -> dict[str, bool | None]:
    if options.working is None:
        return dict.fromkeys(workers, True)
    condition = present_condition(options.working, asset_type, twin.model)
    signals = signals_of(condition)
    values = present(twin, asset_type, at=now, signals=signals, assets=workers)
    numbers = {
        (one, str(name)): value
        for one in signals
        for name, value in zip(values.index, values[one].tolist(), strict=True)
    }
    assets = twin.assets(asset_type)
    return {
        name: truth_of(condition, {one: float(numbers[one, name]) for one in signals}, dict(assets.loc[name]))
        for name in workers
    }


def _speeds(
    twin: TwinReader, asset_type: str, others: list[str], speed: str, now: np.datetime64
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if not others:
        return np.empty(0)
    found = present(twin, asset_type, at=now, signals=[speed], assets=others)[speed].to_numpy(dtype=np.float64)
    return np.asarray(convert(found, str(twin.model.asset_types[asset_type].signals[speed].unit), "m/s"))


def place_of(twin: TwinReader, asset_type: str, asset: str, options: QueueEffect, at: int) -> int | None:
    """Return the place of an asset at an instant, as its position among the assets of its type; None if it is at none."""
    crew = links_of(twin, options.place)
    mine = int(asset_codes(twin, asset_type).get_indexer(pd.Index([asset], dtype="str"))[0])
    here = crew.valid(at)
    places = crew.target[here][crew.source[here] == mine]
    return int(places[-1]) if len(places) else None


def waiting_at(twin: TwinReader, options: QueueEffect, place: int, at: int) -> int:
    """Return how many wait at a place at an instant, ns since 1970."""
    waiting = links_of(twin, options.waiting)
    rows = waiting.valid(at)
    rows = rows[waiting.target[rows] == place]
    if options.recent is not None:
        rows = rows[at - waiting.since[rows].astype(np.float64) <= parse_duration(options.recent)]
    if options.only is not None:
        kind = twin.model.relationships[options.waiting].source
        flags = twin.assets(kind)[options.only].to_numpy(dtype=object)
        rows = rows[np.array([_true(flags[code]) for code in waiting.source[rows]], dtype=bool)]
    return len(rows)


def _shifts(twin: TwinReader, options: QueueEffect, now: np.datetime64, memory: Memory) -> tuple[float, ...]:
    """Return how much later than expected arrivals were in the last four weeks, seconds."""
    if options.arrivals is None:
        return (0.0,)
    kind, day = options.arrivals, now.astype("M8[D]").astype("M8[ns]")

    def errors() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        rows = twin.events(kind, start=day - _LEARNT, stop=day)
        begun, planned, due, ended = (rows[name].to_numpy(dtype="M8[ns]") for name in _TIMES)
        known = ~(np.isnat(begun) | np.isnat(planned) | np.isnat(due) | np.isnat(ended)) & (ended < day)
        # What came together counts once.
        both = np.unique(np.stack([(due + (begun - planned))[known], ended[known]]).astype(np.int64), axis=1)
        return np.asarray((both[1] - both[0]) / 1e9)

    found = memory.get(("arrivals", kind, str(day)), errors)
    spread = parse_duration(options.spread) / 1e9
    return (-spread, 0.0, spread) if len(found) < _FEWEST else tuple(np.quantile(found, _QUANTILES).tolist())


def _arrivals(
    twin: TwinReader, options: QueueEffect, place: str, now: np.datetime64, *, earliest: float
) -> tuple[tuple[float, int], ...]:
    """Return what is expected within the horizon: seconds from now and how many, of each instant."""
    if options.arrivals is None or options.link is None:
        return ()
    # What is expected later may come earlier.
    until = now + np.timedelta64(int(options.seconds + max(-earliest, 0.0)), "s")
    # What arrives within the horizon may have left long before.
    rows = twin.events(options.arrivals, start=now - np.timedelta64(1, "D"), stop=until)
    rows = rows[(rows[options.link] == place).to_numpy()]
    if options.only is not None:
        kind = str(twin.model.event_types[options.arrivals].asset)
        flags = twin.assets(kind)[options.only]
        rows = rows[np.array([_true(flags.get(one)) for one in rows["asset"]], dtype=bool)]
    begun, planned, due, ended = (rows[name].to_numpy(dtype="M8[ns]") for name in _TIMES)
    under_way = ~np.isnat(begun) & (begun <= now)
    late = np.where(under_way & ~np.isnat(planned), begun - planned, np.timedelta64(0, "ns"))
    # What hasn't begun begins now at the earliest.
    late = np.where(~under_way & (planned < now), now - planned, late)
    expected = due + late
    # Overdue is expected at any moment.
    expected = np.where(under_way & (expected < now), now, expected)
    come = expected[(np.isnat(ended) | (ended > now)) & (expected >= now) & (expected < until)]
    instants, counts = np.unique(come, return_counts=True)
    ahead = (instants - now).astype("m8[ns]").astype(np.int64) / 1e9
    return tuple(zip(ahead.tolist(), counts.tolist(), strict=True))


def _true(stated: object) -> bool:
    return str(stated) in {"True", "1", "1.0"}
