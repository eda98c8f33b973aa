"""FIND: event tables, the present state, where things are, and exceptions from rules, as plain DataFrames.

In: a twin to read (`twinlab.model.reader.TwinReader`) and an instant. Out: DataFrames and small records.
Read in order: `tables`, `tables_as_of`, `present_state` (the state of assets at an instant), `rules` (what needs attention),
`annotations`, `lifetimes`, `reading`.
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
        "Score": "rules.scoring",
        "STATUSES": "tables",
        "annotation": "annotations.records",
        "annotations_table": "annotations.tables",
        "carried": "annotations.carrying",
        "delays": "tables",
        "episodes": "rules.exceptions",
        "events_at": "tables_as_of",
        "exception_rows": "rules.exception_table",
        "exceptions": "rules.exceptions",
        "find_assets": "present_state.search",
        "notes_table": "annotations.tables",
        "overlapping": "tables",
        "plan_of": "present_state.stories",
        "position_of": "present_state.cached_reader",
        "positions": "present_state.places",
        "present": "present_state.latest_values",
        "score": "rules.scoring",
        "select": "tables",
        "status": "tables",
        "story": "present_state.stories",
        "where": "present_state.whereabouts",
    },
)


def __getattr__(name: str) -> Any:  # noqa: ANN401  (any public name)
    """Return a public name; ``KeptReader`` is the old name of `CachedReader`."""
    if name == "KeptReader":
        warnings.warn("twinlab.events.KeptReader is now called CachedReader", DeprecationWarning, stacklevel=2)
        return _attribute("CachedReader")
    return _attribute(name)
