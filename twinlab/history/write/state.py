"""Metadata of a commit: what it was built from; and the counts of a build in a report."""

from __future__ import annotations

from typing import Any

from twinlab.history.build.build import BUILD_VERSION
from twinlab.history.build.catchup import Update, stored_ends
from twinlab.history.build.report import BuildReport
from twinlab.history.index.reach import NEVER

__all__ = ["add_tally", "note_state"]


def note_state(meta: dict[str, Any], update: Update) -> None:
    """Write what a commit was built from to its metadata."""
    sources = update.sources
    ends = stored_ends(meta)
    for plan in update.plans:
        path = plan.spec.group.path
        ends[path] = max(ends.get(path, 0), plan.ends[1])
    meta.update(
        ends=ends,
        build=BUILD_VERSION,
        model=sources.model_hash,
        mappings={name: sources.mapping_hashes[name] for name in sources.views},
        meanings={name: view.context_hash for name, view in sources.views.items()},
        position=update.new,
        assets=update.columns,
        feeds=update.groups_of_sources(),
        watermarks={name: one.watermark for name, one in update.marks.items() if one.watermark > -NEVER},
    )


def add_tally(report: BuildReport, update: Update) -> None:
    """Add the counts of a build to a report."""
    report.duplicates += update.tally.duplicates
    report.disagreements += update.tally.disagreements
    report.lost += update.tally.lost
    report.blocks += update.tally.blocks
    report.cells += update.tally.cells
    # The source of a superseded claim isn't recorded; with a single source it is known.
    if len(report.sources) == 1:
        next(iter(report.sources.values())).duplicates += update.tally.duplicates
