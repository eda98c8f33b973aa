"""State of a twin at an instant: exceptions, reporting assets, punctuality of events; cached for all readers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.events import AssetIndex, events_at, exceptions, positions, present
from twinlab.events.lifetimes import lifetimes
from twinlab.events.present_state.links import links_of
from twinlab.events.present_state.whereabouts import nearest_fixed
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.model.basics import parse_duration
from twinlab.model.rules import SEVERITIES

if TYPE_CHECKING:
    from twinlab.explore.kit.session import Shared
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["Counts", "Coverage", "Fix", "Now", "asset_index", "now_at", "preload_search"]

Fix = tuple[tuple[str, str, float] | None, tuple[float, float]]

_LOG = logging.getLogger(__name__)
#: Events that end or are due within this span before the instant are counted.
EVENT_SPAN = pd.Timedelta(days=1)
#: Tolerated delay of an event type without a rule for lateness.
_ON_TIME = pd.Timedelta(minutes=15)
#: An asset is silent after this many cells without an observation, and not before the shortest time.
_SILENT_CELLS, _SHORTEST = 15, pd.Timedelta(minutes=15)


@dataclass(frozen=True)
class Coverage:
    """Number of assets of a type that report, and that are silent."""

    reporting: int
    silent: int


@dataclass(frozen=True)
class Counts:
    """Events of the last day: ended on time; late (ended or still running); running and not late."""

    on_time: int
    late: int
    not_ended: int


@dataclass(frozen=True)
class Now:
    """One instant of a twin."""

    #: None for a twin without any observation.
    at: np.datetime64 | None
    #: As `twinlab.events.exceptions` gives them, worst first.
    exceptions: pd.DataFrame
    #: Key of an exception -> what contains its asset, as ``type/asset``; ``""`` if unknown.
    places: Mapping[str, str] = field(default_factory=dict)
    #: Key of an exception whose moving asset is in nothing -> nearest fixed place (type, asset, km) and (lat, lon).
    fixes: Mapping[str, Fix] = field(default_factory=dict)
    coverage: Mapping[str, Coverage] = field(default_factory=dict)
    counts: Mapping[str, Counts] = field(default_factory=dict)

    @property
    def severities(self) -> dict[str, int]:
        """Number of exceptions of each severity, worst first."""
        found = self.exceptions["severity"].value_counts() if len(self.exceptions) else {}
        return {name: int(found.get(name, 0)) for name in reversed(SEVERITIES)}


def now_at(shared: Shared, at: np.datetime64 | None) -> Now:
    """Return the state of a twin at an instant, or at its newest sample; cached for a minute.

    Raises
    ------
    TwinlabError
        If the twin can't be read.
    """
    when = shared.latest() if at is None else at
    if when is None:
        return Now(None, pd.DataFrame(columns=["key", "severity"]))
    return shared.cached(("now", int(when.astype("datetime64[ns]").astype("int64"))), lambda: _read(shared, when))


def preload_search(shared: Shared) -> None:
    """Read what a search needs before the first search: seconds for a large twin, nothing if it's cached already."""
    reader = shared.reader
    try:
        for relationship in reader.model.relationships:
            links_of(reader, relationship)
        for event_type in reader.model.event_types:
            reader.events(event_type)
        asset_index(shared)
    except READING_ERRORS:
        # The search itself shows the error.
        _LOG.warning("the tables for the search can't be preloaded", exc_info=True)


def asset_index(shared: Shared) -> AssetIndex:
    """Return the index of all assets by id and name, cached for all readers."""
    reader = shared.reader
    return reader.cached("asset index", lambda: AssetIndex(reader))


def _read(shared: Shared, at: np.datetime64) -> Now:
    twin, model = shared.reader, shared.twin.model
    found = exceptions(twin, at=at)
    places, fixes = _places(twin, found, at)
    return Now(
        at=at,
        exceptions=found,
        places=places,
        fixes=fixes,
        coverage={kind: _coverage(shared, kind, found, at) for kind in shared.choices.kinds().values()},
        counts={kind: _counts(twin, kind, at) for kind in model.event_types},
    )


def _places(twin: TwinReader, found: pd.DataFrame, at: np.datetime64) -> tuple[dict[str, str], dict[str, Fix]]:
    """Return what contains the assets of exceptions, and the positions of those in nothing; one query per asset type."""
    out: dict[str, str] = {}
    fixes: dict[str, Fix] = {}
    for kind, rows in found.groupby("asset_type"):
        if str(kind) not in twin.model.asset_types:
            continue
        assets = sorted({str(asset) for asset in rows["asset"]})
        where = positions(twin, str(kind), at=at, assets=assets)
        via = where["via"].to_dict()
        free = where[(where["via"] == "") & where["time"].notna() & where["latitude"].notna()]
        found_at: dict[str, Fix] = {
            str(asset): (nearest_fixed(twin, lat, lon, own=(str(kind), str(asset))), (lat, lon))
            for asset, lat, lon in zip(free.index, free["latitude"].tolist(), free["longitude"].tolist(), strict=True)
        }
        fixes |= {
            str(key): found_at[str(asset)]
            for key, asset in zip(rows["key"], rows["asset"], strict=True)
            if str(asset) in found_at
        }
        out |= {str(key): str(via.get(str(asset), "")) for key, asset in zip(rows["key"], rows["asset"], strict=True)}
    return out, fixes


def _coverage(shared: Shared, kind: str, found: pd.DataFrame, at: np.datetime64) -> Coverage:
    """Count from the exceptions where a rule defines *silent*, else from the last observations."""
    assets = list(shared.choices.assets(kind).values())
    starts, ends = lifetimes(shared.reader, kind, assets)
    now = at.astype("datetime64[ns]").astype("int64")
    # Before and after its lifetime an asset neither reports nor is silent.
    assets = [one for one, exists in zip(assets, (starts <= now) & (now < ends), strict=True) if exists]
    rules = [name for name, rule in shared.twin.model.rules.items() if rule.on == kind and rule.silent is not None]
    if rules:
        silent = int(found.loc[found["rule"].isin(rules), "asset"].nunique())
        return Coverage(max(0, len(assets) - silent), silent)
    spec = shared.twin.model.asset_types[kind]
    cadence = max(signal.cadence_ns for signal in spec.signals.values())
    silent_after = max(pd.Timedelta(_SILENT_CELLS * cadence, "ns"), _SHORTEST)
    # Assets known from tables only, such as the destinations of flights, never report and aren't silent.
    last = present(shared.reader, kind, at=at)
    last = last[last.index.isin(assets)]
    newest = last[[name for name in last if str(name).endswith("_time")]].max(axis=1)
    silent = int((newest.isna() | (newest < pd.Timestamp(at) - silent_after)).sum())
    return Coverage(len(last) - silent, silent)


def _counts(twin: TwinReader, kind: str, at: np.datetime64) -> Counts:
    now = pd.Timestamp(at)
    events = events_at(twin.events(kind, start=now - EVENT_SPAN, stop=now), at)
    tolerance = on_time_tolerance(twin.model, kind)
    begun, ended = events["start"].notna(), events["end"].notna()
    due = events["planned_end"] + tolerance
    late = (ended & (events["end"] > due)) | (begun & ~ended & (due < now))
    return Counts(int((ended & ~late).sum()), int(late.sum()), int((begun & ~ended & ~late).sum()))


def on_time_tolerance(model: TwinModel, event_type: str) -> pd.Timedelta:
    """Return the delay at which an event still counts as on time: that of its mildest rule."""
    stated = [
        parse_duration(rule.late)
        for rule in model.rules.values()
        if rule.late is not None and rule.on == event_type and rule.at == "end"
    ]
    return pd.Timedelta(min(stated), "ns") if stated else _ON_TIME
