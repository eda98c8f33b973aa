"""The lineage of an event that a source recorded, and of an exception that a rule found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from twinlab.errors import UnknownTermError
from twinlab.history.lineage.event_rows import event_rows
from twinlab.twin.lineage.lineage import Lineage
from twinlab.twin.lineage.steps import Step
from twinlab.twin.lineage.texts import instant_text, span_text
from twinlab.twin.lineage.values import file_steps

if TYPE_CHECKING:
    from twinlab.history import HistoryReader
    from twinlab.twin.lineage.definitions import DefinitionSteps

__all__ = ["event_lineage"]


def event_lineage(reader: HistoryReader, event_type: str, event_id: str, definitions: DefinitionSteps) -> Lineage:
    """Return the lineage of a recorded event.

    Raises
    ------
    UnknownTermError
        If no row states such an event.
    """
    rows = event_rows(reader, event_type, [event_id])
    if not len(rows):
        msg = f"the twin has no event {event_id!r} of the type {event_type!r}; its events: twin.events({event_type!r})"
        raise UnknownTermError(msg)
    one = rows.iloc[-1]
    title = reader.model.event_types[event_type].title or event_type
    steps = [Step("event", f"{title} {event_id}", _times(one))]
    steps.append(definitions.of_model(f"event_types.{event_type}", title, 0))
    for source, mine in rows.groupby("source", sort=False):
        place = len(steps)
        steps.append(Step("rows", str(source), _standing(mine), 0))
        steps.append(definitions.of_source(str(source), place))
        steps += file_steps(mine, place)
    return Lineage(f"{event_type}/{event_id}", tuple(steps), rows)


def _times(one: pd.Series) -> str:
    parts = []
    for what, first, last in (("", "start", "end"), ("planned ", "planned_start", "planned_end")):
        if not pd.isna(one[first]) or not pd.isna(one[last]):
            start = one[first] if not pd.isna(one[first]) else one[last]
            parts.append(what + span_text(start, one[last]))
    asset = "" if pd.isna(one["asset"]) else f"{one['asset']}: "
    return asset + "; ".join(parts)


def _standing(rows: pd.DataFrame) -> str:
    valid = int((rows["standing"] == "valid").sum())
    newest = instant_text(rows["ingest_time"].max())
    if len(rows) == 1:
        return f"1 row, ingested {newest}" + ("" if valid else "; superseded by another source")
    return f"{len(rows)} rows, the last one ingested {newest}; the newest one counts"
