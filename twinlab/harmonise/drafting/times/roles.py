"""Roles of an event's times: planned and actual starts and ends, by their names and by their order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from twinlab.harmonise.claims import NAT, Ints
from twinlab.harmonise.drafting.profiles import Profile
from twinlab.harmonise.drafting.times.columns import TimeColumn

__all__ = ["clock_roles", "duration_column", "time_roles"]

_PLANNED = re.compile(
    r"^crs|plan|sched|soll|expect|due|(^|[_\s])eta($|[_\s])|(^|[_\s])etd($|[_\s])|target|slot|booked|promis|estimat|forecast|prévu|previst",
    re.IGNORECASE,
)
_START = re.compile(
    r"dep|start|left|leave|begin|from|out|abfahrt|von|pickup|load(?!.*unload)|opened|(^|[_\s])etd($|[_\s])",
    re.IGNORECASE,
)
_END = re.compile(
    r"arr|end(?!or)|stop|return|ankunft|bis|deliver|finish|complet|closed|receiv|resolv|in$|(^|[_\s])eta($|[_\s])",
    re.IGNORECASE,
)
#: Times at which something about the event was written down or sent, not times of the event itself.
_ABOUT = re.compile(
    r"record|creat|updat|modif|enter(?!prise)|logged|import|post(?!al)|(^|[_\s])sent|captur|report|issued|ordered|invoic|quot|purchas|print",
    re.IGNORECASE,
)
_WITHIN = re.compile(r"wheels|taxi", re.IGNORECASE)
_LENGTH = re.compile(
    r"duration|(^|[_\s])(dauer|durée|durata|duur)($|[_\s([])|trip[_\s]?(time|seconds|minutes)", re.IGNORECASE
)
#: Minimal share of rows in which a start comes before its end.
_MIN_SHARE = 0.95


def time_roles(times: Sequence[TimeColumn]) -> tuple[dict[str, TimeColumn], list[TimeColumn]]:
    """Return role -> time, and the times that have none: they are properties of the event.

    A name that states a role gives it; other times get one by their order. No start comes after its end.
    """
    roles: dict[str, TimeColumn] = {}
    rest: list[TimeColumn] = []
    plain: list[TimeColumn] = []
    for time in times:
        about = _ABOUT.search(time.name) is not None
        side = "" if about else _side(_PLANNED.sub("", time.name))
        role = ("planned_" if _PLANNED.search(time.name) else "") + side
        if about:
            rest.append(time)
        elif not side:
            plain.append(time)
        elif role in roles:
            rest.append(time)
        else:
            roles[role] = time
    for time in sorted(plain, key=lambda time: _middle(time.wall)):
        planned = "planned_" if _PLANNED.search(time.name) else ""
        fitting = [
            role for role in (planned + "start", planned + "end") if role not in roles and _in_order(role, time, roles)
        ]
        if fitting:
            roles[fitting[0]] = time
        else:
            rest.append(time)
    for planned in ("", "planned_"):
        start = roles.get(f"{planned}start")
        if start is not None and not _in_order(f"{planned}start", start, roles):
            rest.append(roles.pop(f"{planned}start"))
    return roles, sorted(rest, key=lambda time: list(times).index(time))


def clock_roles(names: Sequence[str]) -> dict[str, str]:
    """Return role -> column of clock times, by their names.

    >>> clock_roles(["sched_dep_time", "arr_time", "dep_time"])
    {'planned_start': 'sched_dep_time', 'end': 'arr_time', 'start': 'dep_time'}
    """
    roles: dict[str, str] = {}
    for name in sorted(names, key=lambda name: not _side(name)):
        # BTS: a flight's wheels leave and meet the ground within its times at the gates.
        if _WITHIN.search(name):
            continue
        planned = "planned_" if _PLANNED.search(name) else ""
        side = _side(_PLANNED.sub("", name) or name)
        for role in {"start": ["start", "end"], "end": ["end"]}.get(side, ["start", "end"]):
            if planned + role not in roles:
                roles[planned + role] = name
                break
    return roles


def duration_column(profiles: Mapping[str, Profile], *, taken: Sequence[str]) -> str | None:
    """Return the column that says how long each row lasted; None if there is none, or several."""
    found = []
    for name, profile in profiles.items():
        numbers = profile.kind == "number" and profile.low >= 0 and profile.distinct > 1
        texts = profile.kind == "text" and all(re.fullmatch(r"\d+:\d\d(:\d\d)?", term) for term in profile.terms)
        if name not in taken and _LENGTH.search(name) and (numbers or texts):
            found.append(name)
    return found[0] if len(found) == 1 else None


def _side(name: str) -> str:
    if _START.search(name):
        return "start"
    return "end" if _END.search(name) else ""


def _in_order(role: str, time: TimeColumn, roles: dict[str, TimeColumn]) -> bool:
    planned, side = ("planned_", role.removeprefix("planned_")) if role.startswith("planned_") else ("", role)
    other = roles.get(planned + ("end" if side == "start" else "start"))
    if other is None:
        return True
    first, last = (time.wall, other.wall) if side == "start" else (other.wall, time.wall)
    both = (first != NAT) & (last != NAT)
    return not both.any() or float((first[both] <= last[both]).mean()) >= _MIN_SHARE


def _middle(wall: Ints) -> int:
    known = wall[wall != NAT]
    return int(np.median(known)) if len(known) else 0
