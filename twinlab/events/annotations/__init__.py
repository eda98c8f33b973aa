"""Annotations: what people say of exceptions, events and spans of a signal; what becomes of them when these move.

In: annotations in the order in which they were written. Out: tables of the current state or of all versions, codes of cells.
Read in order: `targets`, `records`, `tables`, `carrying`, `codes`.
Never: a value or a flag changed; an annotation lost because its exception or event moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.events.annotations.carrying import Carried, carried
    from twinlab.events.annotations.records import Annotation, annotation
    from twinlab.events.annotations.tables import ANNOTATION_COLUMNS, NOTE_COLUMNS, annotations_table, notes_table
    from twinlab.events.annotations.targets import Target, event_target, exception_target, span_target

__all__ = [
    "ANNOTATION_COLUMNS",
    "NOTE_COLUMNS",
    "Annotation",
    "Carried",
    "Target",
    "annotation",
    "annotations_table",
    "carried",
    "event_target",
    "exception_target",
    "notes_table",
    "span_target",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "ANNOTATION_COLUMNS": "tables",
        "Annotation": "records",
        "Carried": "carrying",
        "NOTE_COLUMNS": "tables",
        "Target": "targets",
        "annotation": "records",
        "annotations_table": "tables",
        "carried": "carrying",
        "event_target": "targets",
        "exception_target": "targets",
        "notes_table": "tables",
        "span_target": "targets",
    },
)
