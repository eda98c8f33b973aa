"""The assets and spans of time whose cells have changed since an earlier state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinlab.history.build.catchup import plan_update, stored_ends

if TYPE_CHECKING:
    from twinlab.history.read.reader import HistoryReader

__all__ = ["ChangedWindow", "changed_since", "state_of"]


@dataclass(frozen=True)
class ChangedWindow:
    """Spans of time in which cells of some assets have changed."""

    asset_type: str
    assets: tuple[str, ...]
    starts: NDArray[np.int64]
    """Nanoseconds since 1970, rising."""
    stops: NDArray[np.int64]


def state_of(reader: HistoryReader) -> dict[str, Any]:
    """Return the description of the state that calls of a reader use now, as plain data for `changed_since`."""
    pin = reader.pinned()
    sources = pin.sources
    sources.prepare(pin.position)
    return {
        "position": dict(pin.position),
        "meanings": sources.context_hashes(pin.position),
        "assets": {kind: list(ids) for kind, ids in pin.assets.items()},
        "ends": stored_ends(pin.view.meta),
        "model": sources.model_hash,
        "mappings": dict(sources.mapping_hashes),
    }


def changed_since(reader: HistoryReader, state: Mapping[str, Any]) -> list[ChangedWindow] | None:
    """Return where cells, or their flags, may differ from an earlier state; None if all may, since definitions changed.

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
        return []
    update = plan_update(sources, state, position)
    if update.changed:
        return None
    out = []
    for plan in update.plans:
        axis = plan.spec.axis
        spans = np.array(plan.covered, dtype=np.int64).reshape(-1, 2)
        edges = axis.origin_ns + spans * axis.cadence_ns
        # Cells of neighbours are built with late ones, but don't change.
        assets = tuple(plan.spec.assets[column] for column in plan.late) if plan.late else plan.spec.assets
        out.append(ChangedWindow(plan.spec.group.asset_type, assets, edges[:, 0], edges[:, 1]))
    return out
