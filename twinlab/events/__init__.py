"""FIND: event tables, the present state, where things are, and exceptions from rules, as plain DataFrames.

In: a twin to read (`twinlab.model.reader.TwinReader`) and an instant. Out: DataFrames and small records.
Read in order: `tables`, `tables_as_of`, `present_state` (what holds at an instant), `rules` (what needs attention),
`annotations`, `reading`.
Never: a widget, a write to the history, a Python loop over assets.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Annotation": "annotations",
        "AssetIndex": "present_state.search",
        "KeptReader": "present_state.cached_reader",
        "Place": "present_state.whereabouts",
        "Score": "rules.scoring",
        "STATUSES": "tables",
        "annotation": "annotations",
        "delays": "tables",
        "episodes": "rules.exceptions",
        "events_at": "tables_as_of",
        "exception_rows": "rules.exception_table",
        "exceptions": "rules.exceptions",
        "find_assets": "present_state.search",
        "notes_table": "annotations",
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
