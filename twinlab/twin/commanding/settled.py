"""Whether what a twin knows of an asset is settled: its sources are connected, and no rows are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.twin.live.status import LiveStatus

__all__ = ["unsettled"]


def unsettled(
    target: str,
    needed: Sequence[str],
    *,
    freshness: pd.DataFrame,
    status: LiveStatus,
    mappings: Mapping[str, SourceMapping],
) -> str | None:
    """Return why what is known isn't settled; None if it is.

    Parameters
    ----------
    target : str
        The asset.
    needed : sequence of str
        Asset types, event types and relationships that a decision is based on.
    freshness : DataFrame
        See `twinlab.twin.live.freshness.table.freshness_table`.
    status : LiveStatus
    mappings : mapping of str to Mapping
        Sources without ``live`` aren't followed: what is known of them is as old as its rows.
    """
    kind, _, asset = target.partition("/")
    if (kind, asset) in freshness.index:
        state = str(freshness.loc[(kind, asset), "state"])
        if state != "live":
            return f"what is known of {target} isn't settled: {state}; expected a connected source without missing rows"
    for name, mapping in mappings.items():
        wanted = sorted(set(needed) & _fed_by(mapping)) if mapping.live is not None else []
        if not wanted:
            continue
        if not status.running:
            return f"the historian doesn't run, so that {', '.join(wanted)} aren't followed; start it with: twinlab run"
        source = status.sources.get(name, {})
        # A source of one asset's type has other assets, too: those of this one were looked at above.
        if source.get("state") not in {"connected", "ended"} and wanted != [kind]:
            return (
                f"the source {name!r}, which has {', '.join(wanted)}, isn't connected: {source.get('state', 'unknown')}"
            )
    return None


def _fed_by(mapping: SourceMapping) -> set[str]:
    """Return the event types and relationships of a source's tables."""
    found: set[str] = set()
    for table in mapping.tables:
        data: Any = table
        found |= {events.type for events in data.events} | {link.type for link in data.relationships}
    return found
