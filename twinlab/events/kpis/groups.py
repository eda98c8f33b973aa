"""Groups of a KPI: which assets belong to which group, and when; which group an event belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.history.read.datasets import natural_order
from twinlab.model.kpis.subjects import Subjects
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = [
    "ALL",
    "Memberships",
    "Path",
    "group_labels",
    "group_of_events",
    "group_path",
    "labels_of_assets",
    "memberships",
]

Ints = NDArray[np.int64]

_ALWAYS, _EVER = np.iinfo(np.int64).min, np.iinfo(np.int64).max
#: The label of the only group without ``by``, and of those that lack the property that they are grouped by.
ALL, NOT_STATED = "all", "not stated"


Kind = Literal[
    "all", "asset", "property", "relationship", "link", "event property", "asset property", "asset relationship"
]
#: How an event comes to a group by its asset.
_BY_ASSET: dict[Kind, Kind] = {"property": "asset property", "relationship": "asset relationship"}


@dataclass(frozen=True)
class Path:
    """How assets or events of a type come to a group: the kind of what leads there, and its name."""

    kind: Kind
    name: str = ""


@dataclass(frozen=True)
class Memberships:
    """Which asset belongs to which group, each row during ``[since, until)``; positions among assets and labels."""

    asset: Ints
    group: Ints
    since: Ints
    until: Ints

    @property
    def constant(self) -> bool:
        """Whether no asset ever changes its group."""
        return bool((self.since == _ALWAYS).all() and (self.until == _EVER).all())

    def of_assets(self, first: int, stop: int) -> Memberships:
        """Return the memberships of some of the assets, whose positions count from the first of them."""
        keep = (self.asset >= first) & (self.asset < stop)
        return Memberships(self.asset[keep] - first, self.group[keep], self.since[keep], self.until[keep])

    def edges(self, start_ns: int, stop_ns: int) -> Ints:
        """Return the instants inside a span at which an asset's group changes."""
        found = np.unique(np.concatenate([self.since, self.until]))
        return found[(found > start_ns) & (found < stop_ns)]


def group_path(model: Subjects, on: str, by: str | None, preferred: Sequence[str] = ()) -> Path:
    """Return how an asset type or event type comes to the group ``by``.

    Parameters
    ----------
    by : str, optional
        A property, a relationship, an event's link, ``"asset"``, or the asset type at the end of a relationship or link.
    preferred : sequence of str
        Relationships and links that are meant where several lead to the same asset type: `groups` of the KPI.

    Raises
    ------
    UnknownTermError
        If nothing of the name leads to a group.
    SchemaError
        If several relationships or links do.
    """
    if by is None:
        return Path("all")
    found = _asset_paths(model, on) if on in model.asset_types else _event_paths(model, on)
    direct = {path.name: path for path, _ in reversed(found)}
    if by in direct:
        return direct[by]
    ways = [path for path, target in found if target == by]
    if len(ways) > 1:
        ways = [path for path in ways if path.name in preferred] or ways
    if len(ways) == 1:
        return ways[0]
    if ways:
        names = " or ".join(repr(path.name) for path in ways)
        msg = f"several ways lead from {on!r} to {by!r}: write by={names}, or state one in `groups` of the KPI"
        raise SchemaError(msg)
    known = [*direct, *(target for _, target in found if target)]
    msg = f"expected a property, relationship, link or asset type that groups {on!r}, got by={by!r}{nearest(by, known)}"
    raise UnknownTermError(msg)


def _asset_paths(model: Subjects, on: str) -> list[tuple[Path, str | None]]:
    """Return all paths from an asset type, each with the asset type that it leads to."""
    links = [
        (Path("relationship", name), spec.target) for name, spec in model.relationships.items() if spec.source == on
    ]
    properties: list[tuple[Path, str | None]] = [
        (Path("property", name), None) for name in model.asset_types[on].properties
    ]
    return [(Path("asset", "asset"), on), *properties, *links]


def _event_paths(model: Subjects, on: str) -> list[tuple[Path, str | None]]:
    spec = model.event_types[on]
    out: list[tuple[Path, str | None]] = [(Path("link", name), target) for name, target in spec.links.items()]
    out += [(Path("event property", name), None) for name in spec.properties]
    if spec.asset is not None:
        own = _asset_paths(model, spec.asset)
        out += [(Path(_BY_ASSET.get(path.kind, path.kind), path.name), to) for path, to in own]
    return out


def group_labels(codes: Sequence[object]) -> list[str]:
    """Return the labels of groups in natural order, each once; what isn't known is left out.

    >>> group_labels(["H10", "H9", None, "H10"])
    ['H9', 'H10']
    """
    found = list(dict.fromkeys(str(one) for one in codes if not pd.isna(one)))  # type: ignore[call-overload]
    return [found[place] for place in natural_order(found)] if found else []


def memberships(twin: TwinReader, on: str, path: Path, assets: Sequence[str], labels: Sequence[str]) -> Memberships:
    """Return which of some assets belong to which of some groups; assets of no group have no row."""
    size = len(assets)
    index = pd.Index(list(labels))
    if path.kind == "all":
        return _constant(np.arange(size), np.zeros(size, dtype=np.int64))
    if path.kind == "relationship":
        frame = twin.relationships(path.name)
        asset = pd.Index(list(assets)).get_indexer(pd.Index(frame["source"].astype(str)))
        group = index.get_indexer(pd.Index(frame["target"].astype(str)))
        keep = (asset >= 0) & (group >= 0)
        since, until = (
            _nanoseconds(frame[name][keep], edge) for name, edge in (("valid_from", _ALWAYS), ("valid_until", _EVER))
        )
        return Memberships(asset[keep].astype(np.int64), group[keep].astype(np.int64), since, until)
    names = _values_of_assets(twin, on, path, assets)
    group = index.get_indexer(pd.Index(names, dtype=object))
    return _constant(np.flatnonzero(group >= 0), group[group >= 0].astype(np.int64))


def _values_of_assets(twin: TwinReader, on: str, path: Path, assets: Sequence[str]) -> list[str]:
    """Return the label of each asset: its id or the text of its property."""
    if path.kind == "asset":
        return [str(one) for one in assets]
    column = twin.assets(on)[path.name]
    found = column.reindex(list(assets))
    return [NOT_STATED if pd.isna(one) else str(one) for one in found.tolist()]


def labels_of_assets(twin: TwinReader, on: str, path: Path, assets: Sequence[str]) -> list[str]:
    """Return the groups that there are of some assets."""
    if path.kind == "all":
        return [ALL]
    if path.kind == "relationship":
        frame = twin.relationships(path.name)
        return group_labels(frame["target"][frame["source"].isin(list(assets))].tolist())
    return group_labels(_values_of_assets(twin, on, path, assets))


def group_of_events(twin: TwinReader, on: str, path: Path, table: pd.DataFrame, times_ns: Ints) -> pd.Series:
    """Return the label of each event's group at an instant each, missing where it isn't known.

    A link that isn't stated leads to one of the groups, nobody knows which; a property that isn't stated is a group of its own.
    """
    if path.kind == "all":
        return pd.Series(ALL, index=table.index, dtype=object)
    if path.kind == "link":
        return _texts(table[path.name])
    if path.kind == "event property":
        return _texts(table[path.name]).fillna(NOT_STATED)
    if path.kind == "asset":
        return _texts(table["asset"])
    asset_type = Subjects(twin.model).event_types[on].asset
    assert asset_type is not None
    if path.kind == "asset property":
        stated = _texts(twin.assets(asset_type)[path.name].reindex(table["asset"]).set_axis(table.index))
        return stated.where(stated.notna() | table["asset"].isna(), NOT_STATED)
    links = twin.relationships(path.name)
    links = links.assign(
        since=_nanoseconds(links["valid_from"], _ALWAYS), until=_nanoseconds(links["valid_until"], _EVER)
    )
    left = pd.DataFrame({"source": table["asset"].astype(object), "at": times_ns, "row": np.arange(len(table))})
    right = links[["source", "target", "since", "until"]].astype({"source": object})
    found = pd.merge_asof(
        left[left["source"].notna()].sort_values("at"),
        right.sort_values("since"),
        left_on="at",
        right_on="since",
        by="source",
    )
    valid = found["at"] < found["until"]
    out = np.full(len(table), None, dtype=object)
    out[found["row"][valid].to_numpy()] = found["target"][valid].to_numpy(dtype=object)
    return pd.Series(out, index=table.index)


def _texts(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), None).map(str, na_action="ignore")


def _constant(asset: Ints, group: Ints) -> Memberships:
    size = len(asset)
    return Memberships(asset, group, np.full(size, _ALWAYS), np.full(size, _EVER))


def _nanoseconds(times: pd.Series, nothing: int) -> Ints:
    found = times.to_numpy(dtype="datetime64[ns]")
    return np.where(np.isnat(found), nothing, found.astype("int64"))
