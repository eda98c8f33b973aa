"""A vehicle with another highest speed: what waits at its place, simulated as a network with a pool of vehicles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.control.proposals.effects.outcome import Change, Effect, Unknown, judge, worst_verdict
from twinlab.model.basics import parse_duration
from twinlab.model.commands.effects import QueueEffect

if TYPE_CHECKING:
    from twinlab.simulate.network.network import Network

__all__ = ["Queue", "queue_effect"]

Floats = npt.NDArray[np.float64]

_MINUTE = 60.0
_TITLE = "what waits at {place}"


@dataclass(frozen=True)
class Queue:
    """What waits at a place now, and who moves it."""

    place: str
    """Name of the place, for people."""
    waiting: int
    """How many wait."""
    arrivals: float
    """How many more come in an hour."""
    others: tuple[float, ...]
    """Highest speeds of the other vehicles that work there, m/s."""
    works: bool = True
    """Whether the vehicle itself works: one that charges moves nothing, whatever its speed."""


def queue_effect(
    queue: Queue | Unknown, before: float, after: float, options: QueueEffect, *, now: np.datetime64, seed: int = 0
) -> Effect:
    """Simulate a queue with two highest speeds of one of the vehicles that work on it.

    A move takes the way at the highest speed, and the time of handling, half of it at each end. Arrivals are independent of each
    other (a Poisson process).

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
    from twinlab.simulate.kernel.model import NetworkModel  # noqa: PLC0415  (numba loads on first use)

    seconds = int(options.seconds // _MINUTE) * _MINUTE
    speeds = [one for one in [*([speed] if queue.works else []), *queue.others] if one > 0]
    if not speeds:
        return _nobody_works(queue, seconds, options, seed)
    model = NetworkModel(_network(queue, speeds, options))
    items = pd.DataFrame(
        {
            "name": [f"item{number}" for number in range(queue.waiting)],
            "at": "place",
            "stage": "outbound",
            "destination": "away",
        }
    )
    state = model.state_from(now, entities=items if queue.waiting else None, seed=seed)
    found = model.advance_many(
        state,
        replications=range(options.replications),
        until=now + np.timedelta64(int(seconds), "s"),
        step=np.timedelta64(1, "m"),
    )
    arrived = found["place_arrivals"].sel(place="place").to_numpy().astype(np.float64)
    moved = found["forklift_carried"].sum("forklift").to_numpy().astype(np.float64)
    left = queue.waiting + np.cumsum(arrived, axis=1) - np.cumsum(moved, axis=1)
    longest = np.array(
        [_longest_wait(queue.waiting, come, gone, seconds) for come, gone in zip(arrived, moved, strict=True)]
    )
    return left, longest


def _network(queue: Queue, speeds: list[float], options: QueueEffect) -> Network:
    from twinlab.simulate.network.network import Network  # noqa: PLC0415

    handling = f"{parse_duration(options.handling) / 2e9:g} s"
    alike = {
        "type": "forklift", "links": [("place", "away")], "home": "place", "capacity": options.load, "loading": handling,
        "unloading": handling,
    }  # fmt: skip
    groups = {f"vehicle{place}": {**alike, "speed": f"{one:.12g} m/s"} for place, one in enumerate(speeds)}
    # Their places aren't what limits.
    node = {"type": "place", "servers": 100_000, "service": "0 s"}
    return Network.model_validate(
        {
            "name": "queue",
            "nodes": {"place": node, "away": node},
            "links": [{"from": "place", "to": "away", "both_ways": True, "distance": f"{options.distance / 2:g} m"}],
            "transporters": groups,
            "demand": {"more": {"kind": "item", "at": "place", "rate": f"{max(queue.arrivals, 1e-6):.12g} /h", "to": {"away": 1}}},
        }
    )  # fmt: skip


def _longest_wait(waiting: int, come: Floats, gone: Floats, seconds: float) -> float:
    """Return the longest wait from now or from its arrival on, first come, first served, to a minute."""
    minutes = (np.arange(len(come)) + 0.5) * _MINUTE
    since = np.concatenate([np.zeros(waiting), np.repeat(minutes, come.astype(np.int64))])
    until = np.repeat(minutes, gone.astype(np.int64))
    ends = np.concatenate([until, np.full(max(len(since) - len(until), 0), seconds)])[: len(since)]
    return float(np.max(ends - since, initial=0.0))


def _nobody_works(queue: Queue, seconds: float, options: QueueEffect, seed: int) -> tuple[Floats, Floats]:
    """Return the queue and the longest wait if nothing is moved."""
    random = np.random.default_rng(seed)
    come = random.poisson(queue.arrivals / 60, (options.replications, int(seconds // _MINUTE)))
    left = queue.waiting + np.cumsum(come, axis=1)
    first = np.where(come.any(axis=1), seconds - np.argmax(come > 0, axis=1) * _MINUTE, 0.0)
    return left.astype(np.float64), np.full(len(come), seconds) if queue.waiting else first
