"""The assets and spans of time whose cells have changed since an earlier state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinlab.history.build.catchup import plan_update
from twinlab.history.read.pinned import TailPin

if TYPE_CHECKING:
    from twinlab.history.read.reader import HistoryReader

__all__ = ["ChangedWindows", "changed_since", "newest", "state_of"]


@dataclass(frozen=True)
class ChangedWindows:
    """Spans of time in which cells of the assets of one type have changed; they may overlap."""

    assets: tuple[str, ...]
    place: NDArray[np.int64]
    """Of each span's asset in ``assets``."""
    start: NDArray[np.int64]
    """Nanoseconds since 1970."""
    stop: NDArray[np.int64]


def newest(reader: HistoryReader) -> TailPin:
    """Return the newest state of a twin; a TypeError if the reader is of what was known at some time."""
    pin = reader.pinned()
    if not isinstance(pin, TailPin):
        msg = "expected the newest state of a twin, got a view of what was known at some time"
        raise TypeError(msg)
    return pin


def state_of(reader: HistoryReader) -> dict[str, Any]:
    """Return the description of the state that calls of a reader use now, as plain data for `changed_since`."""
    pin = newest(reader)
    sources = pin.sources
    sources.prepare(pin.position)
    return {
        "position": dict(pin.position),
        "meanings": sources.context_hashes(pin.position),
        "assets": {kind: list(ids) for kind, ids in pin.assets.items()},
        "ends": {spec.group.path: pin.extent(spec.group)[1] for spec in sources.groups(pin.assets, pin.position)},
        "model": sources.model_hash,
        "mappings": dict(sources.mapping_hashes),
    }


def changed_since(reader: HistoryReader, state: Mapping[str, Any]) -> dict[str, ChangedWindows] | None:
    """Return where cells, or their flags, may differ from an earlier state, by asset type; None if all may.

    They all may if definitions changed.

    Parameters
    ----------
    reader : HistoryReader
    state : mapping
        As `state_of` returned it.
    """
    pin = reader.pinned()
    sources, position = pin.sources, dict(pin.position)
    before = dict(state.get("position", {}))
    if state.get("model") != sources.model_hash or any(before.get(n, 0) > at for n, at in position.items()):
        return None
    known = dict(state.get("mappings", {}))
    if any(
        name not in sources.mapping_hashes or sources.mapping_hashes[name] != found for name, found in known.items()
    ):
        return None
    if all(before.get(name, 0) == at for name, at in position.items() if name != "_twin"):
        return {}
    # Exact: nothing is written, so that a plan for all assets would only be searched in more of them.
    update = plan_update(sources, state, position, front=0)
    if update.changed:
        return None
    found: dict[str, list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]] = {}
    for plan in update.plans:
        axis = plan.spec.axis
        # Cells of neighbours are built with late ones, but don't change.
        columns = np.array(plan.late or range(len(plan.spec.assets)), dtype=np.int64) + plan.spec.first_asset
        low, high = (axis.origin_ns + np.array(plan.covered, dtype=np.int64) * axis.cadence_ns).T
        rows = (np.repeat(columns, len(low)), np.tile(low, len(columns)), np.tile(high, len(columns)))
        found.setdefault(plan.spec.group.asset_type, []).append(rows)
    return {
        kind: ChangedWindows(tuple(update.columns[kind]), *(np.concatenate(one) for one in zip(*parts, strict=True)))
        for kind, parts in found.items()
    }
