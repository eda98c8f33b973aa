"""Where assets are at an instant: by their properties, by their own position signals, or by the asset that they are in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.events.present_state.cached_reader import cached_reader
from twinlab.events.present_state.latest_values import spans_back
from twinlab.events.present_state.links import asset_codes, links_of, links_that_locate
from twinlab.events.reading import duration_ns, instant_ns, known, last_row, read_cells

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["Parents", "Whereabouts", "parents_at", "positions", "whereabouts"]

#: Longest chain of assets inside each other; a longer one is a cycle.
_DEEPEST = 32
_NAT = np.iinfo(np.int64).min


@dataclass
class Whereabouts:
    """Own positions of all assets of the types concerned, and the asset that each is in.

    Assets are numbered through all types: those of one type from its ``first`` on.
    """

    names: dict[str, pd.Index] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    latitude: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    longitude: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    # Nanoseconds; the smallest integer for a fixed place.
    time: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    # Number of what the asset is in, -1 if in nothing.
    parent: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    since: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def name(self, number: int) -> tuple[str, str]:
        """Return asset type and asset of a number."""
        kind = next(k for k in reversed(self.first) if self.first[k] <= number and len(self.names[k]))
        return kind, str(self.names[kind][number - self.first[kind]])


def positions(
    twin: TwinReader, asset_type: str, *, at: object, assets: Sequence[str] | None = None, within: str = "1d"
) -> pd.DataFrame:
    """Return where the assets of a type are at an instant.

    Its own position counts first: properties, or the last good fix of its signals at or before ``at``. Where an asset
    has none, it's at the position of the asset that it's in, by the relationships with ``locates``; of several valid ones,
    the one that began last.

    Parameters
    ----------
    twin : TwinReader
    asset_type : str
    at : instant
        Naive is UTC.
    assets : sequence of str, optional
        All by default.
    within : str
        How old a fix may be.

    Returns
    -------
    DataFrame
        Index ``asset``; ``latitude, longitude`` (degrees, NaN if it's located nowhere), ``time`` (of the fix; NaT for a
        fixed place) and ``via`` (what it's in, ``"truck/T12"``, several by " > "; "" if the position is its own). Assets
        that are in each other have no position.

    Raises
    ------
    UnknownTermError
        If the twin doesn't know the asset type.
    SchemaError
        If ``at`` is no instant or ``within`` no duration.
    """
    known(asset_type, twin.model.asset_types, "asset type")
    found = whereabouts(twin, asset_type, at=at, within=within)
    first, index = found.first[asset_type], found.names[asset_type]
    if assets is None:
        mine, labels = np.arange(len(index)), index
    else:
        labels = pd.Index(list(assets), dtype="str")
        mine = index.get_indexer(labels)
    lost = mine < 0
    start = np.where(lost, 0, mine + first).astype(np.int64)
    end, resolved = _follow(found, start)
    resolved &= ~lost
    time = np.where(resolved, found.time[end] if len(found.time) else _NAT, _NAT)
    return pd.DataFrame(
        {
            "latitude": _taken(found.latitude, end, resolved),
            "longitude": _taken(found.longitude, end, resolved),
            "time": time.view("datetime64[ns]"),
            "via": _via(found, np.where(lost, -1, start)),
        },
        index=labels.rename("asset"),
    )


def whereabouts(twin: TwinReader, asset_type: str, *, at: object, within: str = "1d") -> Whereabouts:
    """Return own positions and parents of all assets of a type and of what its assets may be in."""
    at_ns, back = instant_ns(at), duration_ns(within)
    twin = cached_reader(twin)
    out = Whereabouts()
    kinds = _reached(twin, asset_type)
    parts: dict[str, list[NDArray[np.generic]]] = {"latitude": [], "longitude": [], "time": []}
    total = 0
    for kind in kinds:
        out.names[kind] = asset_codes(twin, kind)
        out.first[kind] = total
        total += len(out.names[kind])
        for name, part in zip(parts, _own(twin, kind, at_ns, back), strict=True):
            parts[name].append(part)
    out.latitude, out.longitude, out.time = (np.concatenate(parts[name]) for name in parts)
    found = parents_at(twin, kinds, out.first, total, at_ns)
    out.parent, out.since = found.parent, found.since
    return out


@dataclass(frozen=True)
class Parents:
    """Return what each asset is in at an instant."""

    parent: NDArray[np.int64]
    since: NDArray[np.int64]


def parents_at(twin: TwinReader, kinds: Sequence[str], first: dict[str, int], total: int, at_ns: int) -> Parents:
    """Return what each of all assets is in, by numbers: of several, the one that it entered last."""
    parent = np.full(total, -1, dtype=np.int64)
    since = np.full(total, _NAT, dtype=np.int64)
    for kind in kinds:
        for relationship in links_that_locate(twin, kind):
            links = links_of(twin, relationship)
            rows = links.valid(at_ns)
            # Stable, so that of those that began together the last in the table counts.
            rows = rows[np.argsort(links.since[rows], kind="stable")]
            source = links.source[rows] + first[kind]
            # Assignment in order: the last of several wins.
            newer = links.since[rows] >= since[source]
            source, rows = source[newer], rows[newer]
            parent[source] = links.target[rows] + first[links.target_type]
            since[source] = links.since[rows]
    return Parents(parent, since)


def _reached(twin: TwinReader, asset_type: str) -> list[str]:
    """Return the asset type and all types that its assets may be in."""
    found = [asset_type]
    for kind in found:
        found += [
            target
            for name in links_that_locate(twin, kind)
            if (target := twin.model.relationships[name].target) not in found
        ]
    return found


def _own(
    twin: TwinReader, asset_type: str, at_ns: int, back: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return own latitude, longitude and time of the fix of all assets of a type."""
    ids = asset_codes(twin, asset_type)
    latitude, longitude = np.full(len(ids), np.nan), np.full(len(ids), np.nan)
    time = np.full(len(ids), _NAT, dtype=np.int64)
    spec = twin.model.asset_types[asset_type]
    if spec.position is None or not len(ids):
        return latitude, longitude, time
    if all(name in spec.properties for name in spec.position):
        frame = twin.assets(asset_type)
        found = [pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float) for name in spec.position]
        both = ~np.isnan(found[0]) & ~np.isnan(found[1])
        return np.where(both, found[0], np.nan), np.where(both, found[1], np.nan), time
    if not all(name in spec.signals for name in spec.position):
        msg = f"expected the position of {asset_type!r} in two properties or in two signals, got {' and '.join(spec.position)}"
        raise SchemaError(msg)
    signals = [spec.signals[name] for name in spec.position]
    if signals[0].cadence_ns != signals[1].cadence_ns:
        msg = f"expected the signals of a position at one cadence, got {' and '.join(s.cadence for s in signals)}"
        raise SchemaError(msg)
    todo: list[str] | None = None
    for low, high in spans_back(at_ns, back, signals[0].cadence_ns, len(ids)):
        for cells in read_cells(twin, asset_type, signals=spec.position, start_ns=low, stop_ns=high, assets=todo):
            # A fix needs both values of one time, and neither failed.
            fix = cells.good(spec.position[0]) & cells.good(spec.position[1])
            row = last_row(fix)
            mine = np.flatnonzero(row >= 0)
            where = ids.get_indexer(pd.Index([cells.assets[k] for k in mine], dtype="str"))
            latitude[where] = cells.values[spec.position[0]][row[mine], mine]
            longitude[where] = cells.values[spec.position[1]][row[mine], mine]
            time[where] = cells.times[row[mine]].astype("int64")
        todo = [str(one) for one in ids[np.isnan(latitude)]]
        if not todo:
            break
    return latitude, longitude, time


def _follow(found: Whereabouts, start: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the end of each asset's chain: the first that has a position of its own."""
    end = start.copy()
    if not len(found.latitude):
        return end, np.zeros(len(end), dtype=bool)
    placed = ~np.isnan(found.latitude)
    for _ in range(_DEEPEST):
        todo = np.flatnonzero(~placed[end] & (found.parent[end] >= 0))
        if not len(todo):
            break
        end[todo] = found.parent[end[todo]]
    return end, placed[end]


def _via(found: Whereabouts, start: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return what each asset is in as text; each different one is written once."""
    out = np.full(len(start), "", dtype=object)
    if not len(found.latitude):
        return out
    mine = np.flatnonzero(start >= 0)
    inside = mine[np.isnan(found.latitude[start[mine]]) & (found.parent[start[mine]] >= 0)]
    parents, place = np.unique(found.parent[start[inside]], return_inverse=True)
    texts = np.array([_chain(found, int(one)) for one in parents], dtype=object)
    out[inside] = texts[place] if len(texts) else ""
    return out


def _chain(found: Whereabouts, number: int) -> str:
    names: list[str] = []
    for _ in range(_DEEPEST):
        names.append("/".join(found.name(number)))
        if not np.isnan(found.latitude[number]) or found.parent[number] < 0:
            return " > ".join(names)
        number = int(found.parent[number])
    # A cycle: each asset once.
    return " > ".join(dict.fromkeys(names))


def _taken(values: NDArray[np.float64], at: NDArray[np.int64], good: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.where(good, values[at], np.nan) if len(values) else np.full(len(at), np.nan)
