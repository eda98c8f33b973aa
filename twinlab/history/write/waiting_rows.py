"""Rows that wait: a few rows aren't published at once, since readers have them through the tail anyway.

A publication costs nearly the same for fifty rows as for some thousands. So small deliveries are gathered, and published
together once there are many, or once the last publication is an hour ago.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from twinlab.history.build.build import build_values
from twinlab.history.build.catchup import front_of
from twinlab.history.build.mapping_context import Sources
from twinlab.history.build.report import BuildReport, Tally
from twinlab.history.build.rows.ledger_claims import LedgerClaims
from twinlab.history.build.update import changed_cells

__all__ = ["BULK", "MAX_BATCHES", "PUBLISH", "count_repeated", "may_wait", "publication_due"]

#: Rows are published once so many wait, each with the seconds since the last publication.
PUBLISH = ((100_000, 0.0), (10_000, 60.0), (1, 3600.0))
#: A writer that stays open publishes in bulk: no more often than each second, unless so many rows wait.
BULK = (1.0, 500_000)
#: Each batch that waits costs a reader that opens the twin a millisecond or two.
MAX_BATCHES = 256


def publication_due(rows: int, batches: int, *, seconds: float, bulk: bool = False) -> bool:
    """Whether waiting rows must be published, ``seconds`` after the last publication; one in the future counts as old.

    With ``bulk``, more rows are to follow soon.
    """
    if seconds < 0:
        return rows > 0
    if bulk and batches < MAX_BATCHES and seconds < BULK[0] and rows < BULK[1]:
        return False
    return batches >= MAX_BATCHES or any(rows >= count and seconds >= since for count, since in PUBLISH)


def may_wait(sources: Sources, meta: Mapping[str, Any], position: Mapping[str, int], *, published_at: float) -> bool:
    """Whether the rows between a published state and ``position``, which is indexed, may stay in the tail.

    Parameters
    ----------
    meta : mapping
        Metadata of the published state.
    published_at : float
        When it was published, in seconds since 1970.
    """
    stored = {name: int(at) for name, at in dict(meta.get("position", {})).items()}
    if not stored or sources.context_hashes(position) != dict(meta.get("meanings", {})):
        return False
    batches, rows = 0, 0
    for name, view in sources.views.items():
        first, index = stored.get(name, 0), view.index
        fresh = index.overlapping(first, position[name])
        batches += len(fresh)
        rows += position[name] - first
        # Rows of a withdrawn file may be anywhere; tables of events and assets are read whole, so that each reader would
        # have to bring them up to date.
        withdrawn = len(index.ended) and index.ended["ordinal"][-1] >= first
        if withdrawn or any(np.isin(fresh, index.of_table(table)).any() for table in index.tables):
            return False
    return not publication_due(rows, batches, seconds=time.time() - published_at)


def count_repeated(
    sources: Sources,
    meta: Mapping[str, Any],
    counted: Mapping[str, int],
    position: dict[str, int],
    report: BuildReport,
) -> None:
    """Count the repeated claims among rows that wait, from ``counted`` on; those of late rows when they are published."""
    columns = sources.columns(dict(meta.get("assets", {})), sources.marks(position).values())
    specs = [spec for spec in sources.groups(columns, position) if spec.assets]
    changes = changed_cells(sources.views, specs, old=counted, new=position, late_before=front_of(meta))
    claims, tally = LedgerClaims(sources.views, position, dict(counted)), Tally()
    for spec in specs:
        for span in changes[spec.group.path].spans:
            build_values(spec, span, claims, tally)
    report.duplicates += tally.duplicates
    if len(report.sources) == 1:
        next(iter(report.sources.values())).duplicates += tally.duplicates
    report.position = position
