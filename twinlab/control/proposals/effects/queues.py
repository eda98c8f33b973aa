"""A vehicle with another highest speed: what waits at its place, simulated as a network with a pool of vehicles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.control.proposals.effects.outcome import Change, Effect, Unknown, judge, worst_verdict
from twinlab.model.basics import parse_duration
from twinlab.model.commands.effects import QueueEffect

if TYPE_CHECKING:
    from twinlab.simulate.kernel.model import NetworkModel

__all__ = ["Queue", "queue_effect"]

Floats = npt.NDArray[np.float64]

_MINUTE = 60.0
_TITLE = "what waits at {place}"


@dataclass(frozen=True)
class Queue:
    """What waits at a place now, what is to come, and who moves it."""

    place: str
    """Name of the place, for people."""
    waiting: int
    """How many wait."""
    arrivals: tuple[tuple[float, int], ...]
    """What is expected: seconds from now, and how many at once."""
    others: tuple[float, ...]
    """Highest speeds of the other vehicles that work there, m/s."""
    works: bool = True
    """Whether the vehicle itself works: one that charges moves nothing, whatever its speed."""
    shifts: tuple[float, ...] = (0.0,)
    """How much later than expected arrivals may be, seconds; each counts alike."""


def queue_effect(
    queue: Queue | Unknown, before: float, after: float, options: QueueEffect, *, now: np.datetime64, seed: int = 0
) -> Effect:
    """Simulate a queue with two highest speeds of one of the vehicles that work on it.

    A move takes the way at the highest speed, and the time of handling, half of it at each end, which varies (gamma distribution,
    coefficient of variation 0.3). In as many futures for each of `Queue.shifts`, what is expected arrives that much later.

    Parameters
    ----------
    queue : Queue, or why it isn't known
    before, after : float
        Highest speed of the vehicle without and with the command, m/s; at 0 it moves nothing.
    options : QueueEffect
    now : datetime64
        Present, UTC.
    seed : int
        Of the random numbers, which are the same without and with the command.
    """
    if isinstance(queue, Unknown):
        return queue.effect("queue", "what waits")
    title = _TITLE.format(place=queue.place)
    futures = [_futures(queue, speed, options, now, seed) for speed in (before, after)]
    (waiting, waits), (waiting_after, waits_after) = futures
    longest, longest_after = waiting.max(axis=1), waiting_after.max(axis=1)
    judged = [judge(longest, longest_after, options.most, what="longest queue", unit="")]
    if options.longest_wait is not None:
        limit = parse_duration(options.longest_wait) / 1e9 / _MINUTE
        judged.append(judge(waits / _MINUTE, waits_after / _MINUTE, limit, what="longest wait", unit=" min"))
    effects = tuple(Effect("queue", title, "", verdict, reason) for verdict, reason in judged)
    verdict = worst_verdict(effects)
    low, middle, high = np.quantile(waiting_after, [0.05, 0.5, 0.95], axis=0)
    return Effect(
        "queue", title, "", verdict, "; ".join(one.reason for one in effects if verdict in {"safe", one.verdict}),
        limit=float(options.most), minutes=tuple(range(1, waiting.shape[1] + 1)),
        before=tuple(np.median(waiting, axis=0).tolist()), after=tuple(middle.tolist()), low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        kpis={
            "longest queue": Change(float(np.median(longest)), float(np.median(longest_after)), ""),
            "longest wait": Change(float(np.median(waits)) / _MINUTE, float(np.median(waits_after)) / _MINUTE, "min"),
        },
    )  # fmt: skip


def _futures(queue: Queue, speed: float, options: QueueEffect, now: np.datetime64, seed: int) -> tuple[Floats, Floats]:
    """Return how many wait at the end of each minute, shape (replication, minute), and the longest wait of each replication, s."""
    seconds = int(options.seconds // _MINUTE * _MINUTE)
    shifts = queue.shifts if queue.arrivals else (0.0,)
    replications = -(-options.replications // len(shifts))
    lefts, longest = [], []
    speeds = [one for one in [*([speed] if queue.works else []), *queue.others] if one > 0]
    model = _model(queue, speeds, options) if speeds else None
    for shift in shifts:
        come = tuple((max(when + shift, 0.0), count) for when, count in queue.arrivals)
        if model is not None:
            arrived, moved = _simulated(
                model, replace(queue, arrivals=come), now=now, seed=seed, replications=replications, seconds=seconds
            )
        else:
            arrived = np.zeros((replications, int(seconds // _MINUTE)))
            for when, count in come:
                if when < seconds:
                    arrived[:, int(when // _MINUTE)] += count
            moved = np.zeros_like(arrived)
        lefts.append(queue.waiting + np.cumsum(arrived, axis=1) - np.cumsum(moved, axis=1))
        longest += [_longest_wait(queue.waiting, one, gone, seconds) for one, gone in zip(arrived, moved, strict=True)]
    return np.concatenate(lefts), np.array(longest)


def _simulated(
    model: NetworkModel, queue: Queue, *, now: np.datetime64, seed: int, replications: int, seconds: int
) -> tuple[Floats, Floats]:
    """Return how many arrive and how many are moved in each minute, shape (replication, minute)."""
    items, bringers = _start_tables(queue, now)
    found = model.advance_many(
        model.state_from(now, entities=items, transporters=bringers, seed=seed),
        replications=range(replications),
        until=now + np.timedelta64(int(seconds), "s"),
        step=np.timedelta64(1, "m"),
    )
    arrived = found["place_arrivals"].sel(place="place").to_numpy().astype(np.float64)
    return arrived, found["forklift_carried"].sum("forklift").to_numpy().astype(np.float64)


def _start_tables(queue: Queue, now: np.datetime64) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Return what waits and what is aboard, and what brings it, for `NetworkModel.state_from`."""
    where: list[tuple[str | None, str | None]] = [("place", None)] * queue.waiting
    for number, (_, count) in enumerate(queue.arrivals, 1):
        where += [(None, f"bringers/{number}")] * count
    items = pd.DataFrame(
        {
            "name": [f"item{number}" for number in range(len(where))],
            "at": [at for at, _ in where],
            "aboard": [aboard for _, aboard in where],
            "stage": ["outbound" if at else None for at, _ in where],
            "destination": "away",
        }
    )
    bringers = pd.DataFrame(
        {
            "name": [f"bringers/{number}" for number in range(1, len(queue.arrivals) + 1)],
            "origin": "far",
            "destination": "place",
            "departed": now - np.timedelta64(1, "h"),
            "arrives": [now + np.timedelta64(int(when * 1e9), "ns") for when, _ in queue.arrivals],
        }
    )
    return (items if where else None), (bringers if queue.arrivals else None)


def _model(queue: Queue, speeds: list[float], options: QueueEffect) -> NetworkModel:
    from twinlab.simulate.kernel.model import NetworkModel  # noqa: PLC0415  (numba loads on first use)
    from twinlab.simulate.network.network import Network  # noqa: PLC0415

    handling = {"kind": "gamma", "mean": f"{parse_duration(options.handling) / 2e9:g} s", "cv": 0.3}
    alike = {
        "type": "forklift", "links": [("place", "away")], "home": "place", "capacity": options.load, "loading": handling,
        "unloading": handling,
    }  # fmt: skip
    groups: dict[str, Any] = {
        f"vehicle{number}": {**alike, "speed": f"{one:.12g} m/s"} for number, one in enumerate(speeds)
    }
    nodes, links = (
        ["place", "away"],
        [{"from": "place", "to": "away", "both_ways": True, "distance": f"{options.distance / 2:g} m"}],
    )
    if queue.arrivals:
        # They come once; the way back is longer than any horizon.
        most = max(count for _, count in queue.arrivals)
        groups["bringers"] = {
            "type": "bringer",
            "count": len(queue.arrivals),
            "capacity": max(most, 1),
            "route": ["far", "place"],
        }
        nodes.append("far")
        links.append({"from": "far", "to": "place", "both_ways": True, "travel": "1000 h"})
    network = Network.model_validate(
        {
            "name": "queue",
            # Their places aren't what limits.
            "nodes": {name: {"type": "place", "servers": 100_000, "service": "0 s"} for name in nodes},
            "links": links,
            "transporters": groups,
            # A network has a demand; of this one nothing comes within a horizon.
            "demand": {"none": {"kind": "item", "at": "place", "rate": "1e-9 /h", "to": {"away": 1}}},
        }
    )  # fmt: skip
    return NetworkModel(network)


def _longest_wait(waiting: int, come: Floats, gone: Floats, seconds: float) -> float:
    """Return the longest wait from now or from its arrival on, first come, first served, to a minute."""
    minutes = (np.arange(len(come)) + 0.5) * _MINUTE
    since = np.concatenate([np.zeros(waiting), np.repeat(minutes, come.astype(np.int64))])
    until = np.repeat(minutes, gone.astype(np.int64))
    ends = np.concatenate([until, np.full(max(len(since) - len(until), 0), seconds)])[: len(since)]
    return float(np.max(ends - since, initial=0.0))
