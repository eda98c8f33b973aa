"""A room with another set point: its temperature, by the model that is fitted to the twin's own history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from twinlab.control.proposals.effects.outcome import Change, Effect, Unknown, Verdict, judge

if TYPE_CHECKING:
    from twinlab.model.commands.effects import RoomEffect
    from twinlab.simulate.timetable.rooms.fits import RoomFits
    from twinlab.simulate.timetable.rooms.futures import RoomsNow

__all__ = ["Room", "room_effect"]

Floats = npt.NDArray[np.float64]

_REPLICATIONS = 60


@dataclass(frozen=True)
class Room:
    """One room now."""

    name: str
    fits: RoomFits
    """Fits of this room alone."""
    now: RoomsNow
    """Its present state."""
    warmest: float
    """Warmest temperature that is allowed, in the unit of its temperature."""


def room_effect(
    room: Room | Unknown, before: float, after: float, options: RoomEffect, *, now: np.datetime64, seed: int = 0
) -> Effect:
    """Simulate a room with two set points.

    The thermostat switches at the temperatures that it has switched at, which move with the set point.

    Parameters
    ----------
    room : Room, or why it isn't known
    before, after : float
        Set point without and with the command, in the unit of the temperature.
    options : RoomEffect
    now : datetime64
        Present, UTC.
    seed : int
        Of doors, failures and noise, which are the same without and with the command.
    """
    if isinstance(room, Unknown):
        return room.effect("room", "temperature of the room")
    title = f"temperature of {room.name}"
    if np.isnan(room.fits.on_above).any() or np.isnan(room.now.temperature).any():
        known = "temperature" if np.isnan(room.now.temperature).any() else "thermostat"
        return Unknown(f"the {known} of {room.name} isn't known from its history").effect("room", title)
    futures = [_futures(room, shift, options, now, seed) for shift in (0.0, after - before)]
    usual, changed = futures
    unit = room.fits.names.units
    warm = judge(usual.max(axis=1), changed.max(axis=1), room.warmest, what="warmest", unit=f" {unit}")
    verdict, reason = warm
    if options.coldest is not None:
        cold = judge(
            -usual.min(axis=1), -changed.min(axis=1), -options.coldest, what="coldest, below zero", unit=f" {unit}"
        )
        verdict, reason = _worse(warm, cold)
    low, middle, high = np.quantile(changed, [0.05, 0.5, 0.95], axis=0)
    minutes = room.fits.step / 60 * np.arange(usual.shape[1])
    return Effect(
        "room", title, unit, verdict, reason, limit=room.warmest, minutes=tuple(minutes.tolist()),
        before=tuple(np.median(usual, axis=0).tolist()), after=tuple(middle.tolist()), low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        kpis={
            "warmest": Change(float(np.median(usual.max(axis=1))), float(np.median(changed.max(axis=1))), unit),
            "mean": Change(float(usual.mean()), float(changed.mean()), unit),
        },
    )  # fmt: skip


def _futures(room: Room, shift: float, options: RoomEffect, now: np.datetime64, seed: int) -> Floats:
    from twinlab.simulate.timetable.rooms.futures import room_futures  # noqa: PLC0415  (loads SciPy)

    fits = replace(room.fits, on_above=room.fits.on_above + shift, off_below=room.fits.off_below + shift)
    found = room_futures(
        fits, room.now, until=options.seconds, epoch=int(now.astype("M8[s]").astype(np.int64)), seed=seed,
        replications=np.arange(_REPLICATIONS),
    )  # fmt: skip
    return np.asarray(found.temperature[:, :, 0])


def _worse(one: tuple[Verdict, str], other: tuple[Verdict, str]) -> tuple[Verdict, str]:
    order = ("safe", "can't tell", "unsafe")
    return max(one, other, key=lambda pair: order.index(pair[0]))
