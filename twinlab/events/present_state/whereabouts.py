"""Where one asset is at an instant, in a sentence."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.errors import UnknownTermError
from twinlab.events.present_state.cached_reader import cached_reader
from twinlab.events.present_state.links import asset_codes
from twinlab.events.present_state.places import whereabouts
from twinlab.events.present_state.stories import events_of
from twinlab.events.reading import instant_ns, known
from twinlab.events.tables_as_of import called_off, events_at
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.model.reader import TwinReader

__all__ = ["CurrentEvent", "Place", "distance_km", "nearest_fixed", "where"]

#: Mean radius of the Earth, km (IUGG).
_EARTH_KM = 6371.0088
_DEEPEST = 32


@dataclass(frozen=True)
class CurrentEvent:
    """The event that an asset is in, or the next that was planned for it."""

    event_type: str
    event_id: str
    start: pd.Timestamp | None
    planned_start: pd.Timestamp | None
    planned_end: pd.Timestamp | None
    # How much later than planned it began, or hasn't begun or ended yet; None without a plan.
    late: pd.Timedelta | None


@dataclass(frozen=True)
class Place:
    """Where an asset is at an instant; its ``str`` is a sentence."""

    asset_type: str
    asset: str
    at: pd.Timestamp
    # What it's in, and what that is in: (asset type, asset, since when; None if unknown).
    steps: tuple[tuple[str, str, pd.Timestamp | None], ...]
    # Degrees; None without a position.
    latitude: float | None
    longitude: float | None
    # Time of the fix and its age at `at`; None for a fixed place.
    fix_time: pd.Timestamp | None
    age: pd.Timedelta | None
    event: CurrentEvent | None = None
    # The nearest asset with a fixed place: (asset type, asset, km).
    near: tuple[str, str, float] | None = None

    @property
    def known(self) -> bool:
        """Whether its position is known."""
        return bool(self.steps) or self.latitude is not None

    def __str__(self) -> str:
        parts = [f"in {kind} {asset}{_since(since, self.at)}" for kind, asset, since in self.steps]
        if self.near is not None and not self._stands_in_it():
            kind, asset, far = self.near
            parts.append(f"{far:.1f} km from {_word(kind)} {asset}")
        if self.latitude is not None and self.near is None and not self.steps:
            parts.append(f"at {self.latitude:.4f}, {self.longitude:.4f}")
        if self.age is not None:
            parts.append(f"fix {_duration(self.age)} old")
        if self.event is not None and self.event.late is not None:
            parts.append(self.event_text())
        text = ", ".join(parts) if parts else "position unknown"
        return f"{_word(self.asset_type)} {self.asset}: {text}"

    def event_text(self) -> str:
        """Return the current event compared with its plan: "delivery late by 12 min"."""
        if self.event is None:
            return ""
        name = _word(self.event.event_type)
        if self.event.late is None:
            return name
        minutes = round(self.event.late.total_seconds() / 60)
        if minutes == 0:
            return f"{name} on time"
        return f"{name} {'late' if minutes > 0 else 'early'} by {_duration(abs(self.event.late))}"

    def _stands_in_it(self) -> bool:
        """Whether the nearest fixed place is what it's in."""
        return self.near is not None and any(step[:2] == self.near[:2] for step in self.steps)


def where(twin: TwinReader, asset_type: str, asset: str, *, at: object, within: str = "1d") -> Place:
    """Return where an asset is at an instant, what it is in, how old the position is, and how late its event is.

    Parameters
    ----------
    twin : TwinReader
    asset_type, asset : str
    at : instant
        Naive is UTC.
    within : str
        How old a fix may be.

    Raises
    ------
    UnknownTermError
        If the twin doesn't know the asset type or the asset.
    """
    known(asset_type, twin.model.asset_types, "asset type")
    when = pd.Timestamp(np.datetime64(instant_ns(at), "ns"))
    twin = cached_reader(twin)
    ids = asset_codes(twin, asset_type)
    code = int(ids.get_indexer(pd.Index([asset], dtype="str"))[0])
    if code < 0:
        few = ids if len(ids) <= 5_000 else [one for one in ids if one[:2] == asset[:2]][:5_000]
        msg = f"the twin has no {asset_type} {asset!r}{nearest(asset, map(str, few))}"
        raise UnknownTermError(msg)
    found = whereabouts(twin, asset_type, at=when, within=within)
    number = found.first[asset_type] + code
    steps: list[tuple[str, str, pd.Timestamp | None]] = []
    seen = {number}
    while np.isnan(found.latitude[number]) and found.parent[number] >= 0 and len(steps) < _DEEPEST:
        since, number = int(found.since[number]), int(found.parent[number])
        if number in seen:
            # A cycle: it has no position.
            break
        seen.add(number)
        steps.append((*found.name(number), None if since == np.iinfo(np.int64).min else _stamp(since)))
    latitude, longitude = float(found.latitude[number]), float(found.longitude[number])
    time = int(found.time[number])
    placed = not np.isnan(latitude)
    fixed = time == np.iinfo(np.int64).min
    return Place(
        asset_type,
        asset,
        when,
        tuple(steps),
        latitude if placed else None,
        longitude if placed else None,
        _stamp(time) if placed and not fixed else None,
        when - _stamp(time) if placed and not fixed else None,
        _current(twin, asset_type, asset, when),
        nearest_fixed(twin, latitude, longitude, own=(asset_type, asset)) if placed else None,
    )


def distance_km(
    latitude: NDArray[np.float64], longitude: NDArray[np.float64], *, to: tuple[float, float]
) -> NDArray[np.float64]:
    """Return great-circle distances in km from points to one point, all in degrees (haversine on a sphere).

    >>> distance_km(np.array([0.0]), np.array([1.0]), to=(0.0, 0.0)).round(1).tolist()
    [111.2]
    """
    phi, other = np.radians(latitude), np.radians(to[0])
    half = np.sin((phi - other) / 2) ** 2
    half += np.cos(phi) * np.cos(other) * np.sin((np.radians(longitude) - np.radians(to[1])) / 2) ** 2
    return np.asarray(2 * _EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1))))


def nearest_fixed(
    twin: TwinReader, latitude: float, longitude: float, *, own: tuple[str, str]
) -> tuple[str, str, float] | None:
    """Return (asset type, asset, km) of the nearest asset whose place is fixed, other than the asset itself."""
    best: tuple[str, str, float] | None = None
    for kind, spec in twin.model.asset_types.items():
        if spec.position is None or not all(name in spec.properties for name in spec.position):
            continue
        frame = twin.assets(kind)
        lat, lon = (pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float) for name in spec.position)
        far = distance_km(lat, lon, to=(latitude, longitude))
        if kind == own[0]:
            far[frame.index.to_numpy() == own[1]] = np.nan
        if np.isnan(far).all():
            continue
        place = int(np.nanargmin(far))
        if best is None or far[place] < best[2]:
            best = (kind, str(frame.index[place]), float(far[place]))
    return best


def _current(twin: TwinReader, asset_type: str, asset: str, when: pd.Timestamp) -> CurrentEvent | None:
    """Return the event running at an instant, else the last that should have begun, else the next that is planned."""
    best: tuple[int, float, CurrentEvent] | None = None
    for name, spec in twin.model.event_types.items():
        if spec.asset != asset_type:
            continue
        table = events_at(events_of(twin, name, asset_type, asset), when)
        for row in table[table["end"].isna() & ~called_off(table)].to_dict("records"):
            rank = _rank(row["start"], row["planned_start"], when)
            if rank is not None and (best is None or rank < best[:2]):
                best = (*rank, _event(name, row, when))
    return None if best is None else best[2]


def _rank(start: object, planned: object, when: pd.Timestamp) -> tuple[int, float] | None:
    if isinstance(start, pd.Timestamp):
        return 0, -start.timestamp()
    if not isinstance(planned, pd.Timestamp):
        return None
    return (1, -planned.timestamp()) if planned <= when else (2, planned.timestamp())


def _event(name: str, row: Mapping[Hashable, Any], when: pd.Timestamp) -> CurrentEvent:
    start, plan, end = (_or_none(row[column]) for column in ("start", "planned_start", "planned_end"))
    late: pd.Timedelta | None = None
    if plan is not None:
        late = start - plan if start is not None else max(when - plan, pd.Timedelta(0))
    if end is not None and start is not None and when > end:
        late = when - end
    return CurrentEvent(name, str(row["event_id"]), start, plan, end, late)


def _or_none(when: object) -> pd.Timestamp | None:
    return when if isinstance(when, pd.Timestamp) else None


def _stamp(nanoseconds: int) -> pd.Timestamp:
    return pd.Timestamp(np.datetime64(nanoseconds, "ns"))


def _word(name: str) -> str:
    return name.replace("_", " ")


def _since(since: pd.Timestamp | None, at: pd.Timestamp) -> str:
    if since is None:
        return ""
    return f" since {since:%H:%M}" if since.date() == at.date() else f" since {since:%Y-%m-%d %H:%M}"


def _duration(span: pd.Timedelta) -> str:
    """Return a span in two units at most: "12 min", "3 h 5 min", "2 d 4 h"."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 2880:
        return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    return f"{minutes // 1440} d" + (f" {minutes % 1440 // 60} h" if minutes % 1440 // 60 else "")
