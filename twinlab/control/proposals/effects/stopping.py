"""A vehicle with another highest speed: the way it needs to stop, against the distance to the nearest person."""

from __future__ import annotations

from twinlab.control.proposals.effects.outcome import Change, Effect, Unknown, Verdict
from twinlab.model.basics import parse_duration
from twinlab.model.commands.effects import StoppingEffect

__all__ = ["stopping_effect", "stopping_way"]

_TITLE = "way to stop"


def stopping_way(speed: float, *, reaction: float, deceleration: float) -> float:
    """Return the way in metres until a vehicle has stopped: ``v t + v² / (2 a)``.

    Parameters
    ----------
    speed : float
        m/s.
    reaction : float
        Seconds until the brakes act.
    deceleration : float
        m/s².

    >>> stopping_way(3.0, reaction=1.0, deceleration=1.5)
    6.0
    """
    return speed * reaction + speed**2 / (2 * deceleration)


def stopping_effect(distance: float | Unknown, before: float, after: float, options: StoppingEffect) -> Effect:
    """Compare the way to stop with the distance to the nearest person.

    A vehicle that becomes slower is no more dangerous than before, whoever is near.

    Parameters
    ----------
    distance : float, or why it isn't known
        To the nearest person, metres.
    before, after : float
        Highest speed without and with the command, m/s.
    options : StoppingEffect
    """
    reaction = parse_duration(options.reaction) / 1e9
    way, then = (
        stopping_way(speed, reaction=reaction, deceleration=options.deceleration) + options.margin
        for speed in (before, after)
    )
    kpis = {"way to stop, with margin": Change(way, then, "m")}
    said = f"{then:.1f} m to stop at the new highest speed, {way:.1f} m at the present one, margin included"
    if after <= before:
        return Effect("stopping", _TITLE, "m", "safe", f"{said}: shorter, whoever is near", kpis=kpis)
    if isinstance(distance, Unknown):
        return Effect("stopping", _TITLE, "m", "can't tell", f"{said}; {distance.reason}", kpis=kpis)
    near = f"the nearest person is {distance:.1f} m away"
    verdict: Verdict = "safe" if then <= distance else "unsafe"
    return Effect("stopping", _TITLE, "m", verdict, f"{said}; {near}", limit=distance, kpis=kpis)
