"""Find recorded events by a condition of their columns: ``end_delay > 30 min`` of legs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.algebra.event_spans import Duration, window_ns
from twinlab.events.algebra.refine import lasting as lasting_events
from twinlab.events.finding.evaluation.block import Block
from twinlab.events.finding.evaluation.conditions import evaluate
from twinlab.events.finding.evaluation.truth import TRUE
from twinlab.events.finding.event_columns import column_numbers, column_texts
from twinlab.events.tables import overlapping
from twinlab.model.expressions import EventContext, TableContext, bind_condition, bound
from twinlab.model.expressions.syntax import Node
from twinlab.model.expressions.walk import columns_of
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.asset_types import EventType
    from twinlab.model.reader import TwinReader

__all__ = ["events_of_table", "recorded_events"]


def recorded_events(  # noqa: PLR0917  (as `find`, which checks them)
    source: TwinReader,
    kind: str,
    node: Node,
    expression: str,
    lasting: Duration | None,
    window: tuple[object, object],
    assets: Sequence[str] | None,
) -> pd.DataFrame:
    """Return the events of a type, recorded or of a finder of the model, for which a condition is true."""
    window_ns(*window)
    model = source.model
    spec = model.event_types.get(kind)
    own = model.events[kind].on if spec is None else spec.asset
    if assets is not None:
        ids = {} if own is None else dict.fromkeys(map(str, source.assets(own).index))
        for one in assets:
            if one not in ids:
                what = (
                    f"an asset of type {own!r}" if own is not None else f"no assets, since {kind!r} has none of its own"
                )
                msg = f"expected {what}, got {one!r}{nearest(one, ids) if ids else ''}"
                raise UnknownTermError(msg)
    if spec is not None:
        # Bound before anything is read, so that an error comes at once.
        condition = bind_condition(node, EventContext(model, kind), text=expression)
    table = source.events(kind, start=window[0], stop=window[1], assets=assets)
    if spec is None:
        condition = bind_condition(node, TableContext(table, kind), text=expression)
    found = _fulfilling(table, condition, spec)
    if "duration" not in found:
        found = found.assign(duration=found["end"] - found["start"])
    return _lasting(found, lasting, window[1]).reset_index(drop=True)


def events_of_table(
    table: pd.DataFrame,
    expression: str,
    lasting: Duration | None,
    window: tuple[object, object],
    assets: Sequence[str] | None,
) -> pd.DataFrame:
    """Return the rows of a plain table of events for which a condition is true, with their index."""
    condition = bind_condition(expression, TableContext(table))
    if window != (None, None):
        table = overlapping(table, start=window[0], stop=window[1])
    if assets is not None:
        if "asset" not in table:
            msg = (
                f"expected a table with the column 'asset', since assets are given; it has {', '.join(map(str, table))}"
            )
            raise SchemaError(msg)
        table = table[table["asset"].isin(list(assets))]
    return _lasting(_fulfilling(table, condition, None), lasting, window[1])


def _fulfilling(table: pd.DataFrame, condition: bound.Condition, spec: EventType | None) -> pd.DataFrame:
    """Return the rows for which a condition is true: not those for which it is unknown."""
    columns = columns_of(condition)
    if not columns:
        msg = "expected a column of the events in the expression, such as 'end_delay > 30 min'"
        raise SchemaError(msg)
    numbers = {one.name: column_numbers(table, one.name, spec) for one in columns if one.unit != ""}
    texts = {one.name: column_texts(table, one.name) for one in columns if one.unit == ""}
    # Each event is in the place of an asset, at one time.
    block = Block(np.zeros(1, dtype=np.int64), [""] * len(table), {}, numbers, texts)
    found: pd.DataFrame = table[evaluate(condition, block)[0] == TRUE]
    return found


def _lasting(found: pd.DataFrame, lasting: Duration | None, stop: object) -> pd.DataFrame:
    return found if lasting is None else lasting_events(found, lasting, now=stop)
