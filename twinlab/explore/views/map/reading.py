"""Reading for a map: positions of assets at an instant, and the numbers of assets inside others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.events.present_state.cached_reader import CachedReader
from twinlab.events.present_state.latest_values import present
from twinlab.events.present_state.places import parents_at, positions
from twinlab.explore.charts.reading import data_span
from twinlab.languages import tr
from twinlab.model.twinmodel import parse_duration

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = [
    "EXCEPTIONS",
    "MapRequest",
    "MapSnapshot",
    "color_choices",
    "contained_kinds",
    "first_fix",
    "map_code",
    "placed_kinds",
    "snapshot",
    "stale_after",
    "table_of_positions",
]

#: Colour by the worst exception of each asset.
EXCEPTIONS = "exceptions"
#: A fix is stale after this many cells of its signal, but not before a quarter of an hour.
_STALE_CELLS = 15
_STALE_AT_LEAST_NS = 15 * 60 * 10**9
_SEVERITIES = ("", "low", "medium", "high")


@dataclass(frozen=True)
class MapRequest:
    """Content of a map."""

    at: np.datetime64
    # Asset types with their own position.
    asset_types: tuple[str, ...]
    # Asset types that are counted in the assets that contain them.
    contained: tuple[str, ...] = ()
    # "" (by asset type), `EXCEPTIONS`, or "<asset type>.<signal>".
    color: str = ""
    within: str = "1d"

    @property
    def color_signal(self) -> tuple[str, str] | None:
        """Asset type and signal by which markers are coloured."""
        kind, _, signal = self.color.partition(".")
        return (kind, signal) if signal else None


@dataclass(frozen=True)
class MapSnapshot:
    """Data of a map.

    ``table`` has one row per asset with a position: ``asset_type, asset, latitude, longitude, time, stale, value,
    severity, inside``; ``unlocated`` are the assets of each type without a position.
    """

    request: MapRequest
    table: pd.DataFrame
    unlocated: Mapping[str, tuple[str, ...]]
    # Last values of each asset type, from `twinlab.events.present`.
    values: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    # Exceptions at the instant; None if they weren't requested.
    exceptions: pd.DataFrame | None = None


def placed_kinds(model: TwinModel) -> list[str]:
    """Return the asset types with their own position."""
    return [name for name, spec in model.asset_types.items() if spec.position is not None]


def contained_kinds(model: TwinModel) -> list[str]:
    """Return the asset types without an own position that are located in others, directly or indirectly."""
    placed = set(placed_kinds(model))
    found = dict.fromkeys(placed)
    links = [link for link in model.relationships.values() if link.locates]
    while new := {link.source for link in links if link.target in found} - set(found):
        found |= dict.fromkeys(new)
    return [name for name in model.asset_types if name in found and name not in placed]


def color_choices(model: TwinModel, kinds: Sequence[str]) -> dict[str, str]:
    """Return label -> colour of markers: by asset type, exceptions, or a signal that isn't a position."""
    out = {tr("kind of asset"): ""}
    if model.rules:
        out[tr("exceptions")] = EXCEPTIONS
    for kind in kinds:
        spec = model.asset_types[kind]
        for name, signal in spec.signals.items():
            if name not in (spec.position or ()) and signal.kind != "counter":
                label = signal.title or name.replace("_", " ")
                out[f"{(spec.title or kind.replace('_', ' '))}: {label}"] = f"{kind}.{name}"
    return out


def first_fix(twin: TwinReader) -> np.datetime64 | None:
    """Return the first time of the position signals; of all signals if there are none."""
    model = twin.model
    found = [
        (kind, name) for kind, spec in model.asset_types.items() for name in spec.position or () if name in spec.signals
    ]
    if not found:
        found = [(kind, next(iter(spec.signals))) for kind, spec in model.asset_types.items() if spec.signals]
    spans = [data_span(twin, asset_type=kind, signal=signal) for kind, signal in found]
    return min((span[0] for span in spans if span is not None), default=None)


def stale_after(model: TwinModel, asset_type: str) -> np.timedelta64 | None:
    """Return the age at which a fix is stale; None for fixed positions.

    The shortest duration that a rule defines as silence, else fifteen cells of the signal, at least a quarter of an
    hour.
    """
    spec = model.asset_types[asset_type]
    moving = [spec.signals[name] for name in spec.position or () if name in spec.signals]
    if not moving:
        return None
    silent = [parse_duration(rule.silent) for rule in model.rules.values() if rule.on == asset_type and rule.silent]
    if silent:
        return np.timedelta64(min(silent), "ns")
    return np.timedelta64(max(_STALE_CELLS * moving[0].cadence_ns, _STALE_AT_LEAST_NS), "ns")


def table_of_positions(twin: TwinReader, *, kinds: Sequence[str], at: object, within: str = "1d") -> pd.DataFrame:
    """Return the positions of all assets of some types, index ``asset_type, asset``; see `twinlab.events.positions`."""
    parts = {kind: positions(twin, kind, at=at, within=within) for kind in kinds}
    return pd.concat(parts, names=["asset_type", "asset"])


def snapshot(twin: TwinReader, request: MapRequest, *, exceptions: pd.DataFrame | None = None) -> MapSnapshot:
    """Read what ``request`` needs; ``exceptions`` are those of its instant, if they are known already.

    Raises
    ------
    UnknownTermError
        If an asset type is unknown.
    """
    if not request.asset_types:
        return MapSnapshot(request, _empty(), {})
    table = table_of_positions(twin, kinds=request.asset_types, at=request.at, within=request.within).reset_index()
    located = (table["latitude"].notna() & table["longitude"].notna()).to_numpy()
    unlocated = {
        str(kind): tuple(part["asset"].astype(str))
        for kind, part in table[~located].groupby("asset_type", sort=False, observed=True)
    }
    # Assets without a fix within the look-back have no position on the map.
    table = table[located].drop(columns="via").reset_index(drop=True)
    table["stale"] = _stale(twin, table, request.at)
    if exceptions is None and request.color == EXCEPTIONS:
        exceptions = _read_exceptions(twin, request)
    inside, worst = _inside(twin, request, exceptions)
    keys = list(zip(table["asset_type"], table["asset"], strict=True))
    table["inside"] = pd.Series([inside.get(key, {}) for key in keys], index=table.index, dtype=object)
    table["severity"] = [_SEVERITIES[worst.get(key, 0)] for key in keys]
    values = _values(twin, request, table)
    table["value"] = _colored(request, table, values)
    return MapSnapshot(request, table, unlocated, values, exceptions)


def _empty() -> pd.DataFrame:
    columns = ("asset_type", "asset", "latitude", "longitude", "time", "stale", "inside", "severity", "value")
    return pd.DataFrame({name: [] for name in columns})


def _stale(twin: TwinReader, table: pd.DataFrame, at: np.datetime64) -> NDArray[np.bool_]:
    out = np.zeros(len(table), dtype=bool)
    for kind in table["asset_type"].unique():
        limit = stale_after(twin.model, str(kind))
        if limit is not None:
            own = (table["asset_type"] == kind).to_numpy()
            out |= own & (at - table["time"].to_numpy() > limit)
    return out


def _read_exceptions(twin: TwinReader, request: MapRequest) -> pd.DataFrame:
    from twinlab import events  # noqa: PLC0415  (its public names are loaded lazily)

    return events.exceptions(twin, at=request.at)


Key = tuple[str, str]


def _inside(
    twin: TwinReader, request: MapRequest, exceptions: pd.DataFrame | None
) -> tuple[dict[Key, dict[str, int]], dict[Key, int]]:
    """Return the counts of assets inside each asset by type, and the worst exception of it and of those inside."""
    worst: dict[Key, int] = {}
    ranks: dict[Key, int] = {}
    if exceptions is not None:
        for kind, asset, severity in zip(
            exceptions["asset_type"], exceptions["asset"], exceptions["severity"], strict=True
        ):
            key = (str(kind), str(asset))
            ranks[key] = max(ranks.get(key, 0), _SEVERITIES.index(str(severity)))
        worst |= {key: rank for key, rank in ranks.items() if key[0] in request.asset_types}
    inside: dict[Key, dict[str, int]] = {}
    if not request.contained:
        return inside, worst
    kinds = list(dict.fromkeys([*request.contained, *_targets(twin.model, request.contained), *request.asset_types]))
    names = {kind: pd.Index(_ids(twin, kind)) for kind in kinds}
    first = dict(zip(kinds, np.cumsum([0, *(len(names[kind]) for kind in kinds)]).tolist(), strict=False))
    total = sum(map(len, names.values()))
    at_ns = int(request.at.astype("datetime64[ns]").astype("int64"))
    parent = parents_at(twin, [k for k in kinds if k not in request.asset_types], first, total, at_ns).parent
    root = np.arange(total)
    for _ in range(len(kinds)):
        root = np.where(parent[root] >= 0, parent[root], root)
    starts = np.array([first[kind] for kind in kinds])
    for kind in request.contained:
        span = slice(first[kind], first[kind] + len(names[kind]))
        # Assets in nothing are their own root, without a place.
        roots = root[span]
        numbers, counts = np.unique(roots[roots != np.arange(span.start, span.stop)], return_counts=True)
        for number, count in zip(numbers, counts, strict=True):
            key = _key(int(number), kinds, starts, names)
            if key[0] in request.asset_types:
                inside.setdefault(key, {})[kind] = int(count)
        for asset, rank in ((key[1], rank) for key, rank in ranks.items() if key[0] == kind):
            if asset in names[kind]:
                key = _key(int(root[first[kind] + names[kind].get_loc(asset)]), kinds, starts, names)
                worst[key] = max(worst.get(key, 0), rank)
    return inside, worst


def _key(number: int, kinds: Sequence[str], starts: NDArray[np.int64], names: Mapping[str, pd.Index]) -> Key:
    # The last one, since types without assets have the same start as the next.
    place = int(np.searchsorted(starts, number, side="right")) - 1
    kind = kinds[place]
    return kind, str(names[kind][number - int(starts[place])])


def _ids(twin: TwinReader, kind: str) -> Sequence[str]:
    make = lambda: pd.Index(twin.assets(kind).index.astype("str"))  # noqa: E731
    return twin.cached(("codes", kind), make) if isinstance(twin, CachedReader) else make()


def _targets(model: TwinModel, kinds: Sequence[str]) -> list[str]:
    found = list(kinds)
    for kind in found:
        found += [
            target
            for link in model.relationships.values()
            if link.locates and link.source == kind and (target := link.target) not in found
        ]
    return found


def _values(twin: TwinReader, request: MapRequest, table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the last values of the asset types on the map, without positions."""
    out = {}
    for kind in request.asset_types:
        spec = twin.model.asset_types[kind]
        signals = [name for name in spec.signals if name not in (spec.position or ())]
        if signals and (table["asset_type"] == kind).any():
            out[kind] = present(twin, kind, at=request.at, signals=signals, within=request.within)
    return out


def _colored(request: MapRequest, table: pd.DataFrame, values: Mapping[str, pd.DataFrame]) -> NDArray[np.float64]:
    out = np.full(len(table), np.nan)
    if request.color_signal is None or request.color_signal[0] not in values:
        return out
    kind, signal = request.color_signal
    own = (table["asset_type"] == kind).to_numpy()
    out[own] = values[kind][signal].reindex(table["asset"][own]).to_numpy(dtype=float)
    return out


def map_code(request: MapRequest, *, opening: str) -> str:
    """Return Python that reads the shown positions in a fresh kernel as ``data``."""
    at = pd.Timestamp(request.at).isoformat()
    return "\n".join(
        [
            "import pandas as pd",
            "import twinlab.events as events",
            opening,
            "",
            f"kinds = {list(request.asset_types + request.contained)!r}",
            f"at = {at!r}  # UTC",
            "parts = {kind: events.positions(twin, kind, at=at, within=" + f"{request.within!r}) for kind in kinds}}",
            'data = pd.concat(parts, names=["asset_type", "asset"])',
            "",
        ]
    )
