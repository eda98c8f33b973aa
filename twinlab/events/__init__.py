"""FIND: event tables, the present state, where things are, and exceptions from rules, as plain DataFrames."""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Annotation": "annotations",
        "AssetIndex": "finding",
        "KeptReader": "kept",
        "Place": "whereabouts",
        "Score": "scoring",
        "STATUSES": "tables",
        "annotation": "annotations",
        "delays": "tables",
        "episodes": "watching",
        "events_at": "tables_as_of",
        "exceptions": "watching",
        "find_assets": "finding",
        "notes_table": "annotations",
        "overlapping": "tables",
        "plan_of": "stories",
        "position_of": "kept",
        "positions": "places",
        "present": "latest_values",
        "score": "scoring",
        "select": "tables",
        "status": "tables",
        "story": "stories",
        "where": "whereabouts",
    },
)
