"""FIND: event tables, the present state, where things are, and exceptions from rules, as plain DataFrames.

In: a twin to read (`twinlab.model.reader.TwinReader`) and an instant. Out: DataFrames and small records.
Read in order: `tables`, `tables_as_of`, `algebra` (refine, combine and relate event tables), `statistics` (of signals during
events, and of many events), `present_state` (the state of assets at an instant), `finding` (where a condition is true),
`rules` (what needs attention), `kpis`,
`annotations`, `lifetimes`, `intrusion` (security events), `reading`.
Never: a widget, a write to the history, a Python loop over assets.
"""

from __future__ import annotations

import warnings
from typing import Any

from twinlab._lazy import attach

_attribute, __dir__ = attach(
    __name__,
    {
        "Annotation": "annotations.records",
        "AssetIndex": "present_state.search",
        "CachedReader": "present_state.cached_reader",
        "Place": "present_state.whereabouts",
        "STATUSES": "tables",
        "Score": "rules.scoring",
        "after": "algebra.relations",
        "annotation": "annotations.records",
        "annotations_table": "annotations.tables",
        "at_end": "algebra.refine",
        "at_start": "algebra.refine",
        "before": "algebra.relations",
        "both": "algebra.combine",
        "carried": "annotations.carrying",
        "clip": "algebra.refine",
        "complement": "algebra.combine",
        "delays": "tables",
        "duration_histogram": "statistics.counts",
        "durations": "statistics.counts",
        "during": "algebra.relations",
        "either": "algebra.combine",
        "episodes": "rules.exceptions",
        "event_statistics": "statistics.per_event",
        "events_at": "tables_as_of",
        "exception_rows": "rules.exception_table",
        "exceptions": "rules.exceptions",
        "find": "finding.finder",
        "find_assets": "present_state.search",
        "follows": "algebra.relations",
        "kpi": "kpis.compute",
        "kpi_contributions": "kpis.contributions",
        "kpi_table": "kpis.table",
        "lasting": "algebra.refine",
        "lifetime_table": "lifetimes",
        "links_from": "algebra.links",
        "merge": "algebra.refine",
        "near": "algebra.relations",
        "notes_table": "annotations.tables",
        "overlap_pairs": "algebra.relations",
        "overlapping": "tables",
        "overlaps": "algebra.relations",
        "overlay": "statistics.overlays",
        "pad": "algebra.refine",
        "pareto": "statistics.counts",
        "plan_of": "present_state.stories",
        "position_of": "present_state.cached_reader",
        "positions": "present_state.places",
        "present": "present_state.latest_values",
        "score": "rules.scoring",
        "select": "tables",
        "shift": "algebra.refine",
        "split": "algebra.refine",
        "status": "tables",
        "story": "present_state.stories",
        "through": "algebra.links",
        "timeline": "statistics.timelines",
        "where": "present_state.whereabouts",
        "within": "algebra.refine",
        "without": "algebra.combine",
    },
)


def __getattr__(name: str) -> Any:  # noqa: ANN401  (any public name)
    """Return a public name; ``KeptReader`` is the old name of `CachedReader`."""
    if name == "KeptReader":
        warnings.warn("twinlab.events.KeptReader is now called CachedReader", DeprecationWarning, stacklevel=2)
        return _attribute("CachedReader")
    return _attribute(name)
