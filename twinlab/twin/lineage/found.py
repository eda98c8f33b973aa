"""The lineage of an event that `find` found: its condition, the values that it compares, and their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twinlab.errors import SchemaError
from twinlab.model.expressions import AssetContext, bind_condition, parse
from twinlab.model.expressions.named import named_type
from twinlab.model.expressions.walk import signals_of
from twinlab.twin.lineage.exceptions import condition_lineage
from twinlab.twin.lineage.lineage import Lineage
from twinlab.twin.lineage.steps import Step
from twinlab.twin.lineage.texts import span_text

if TYPE_CHECKING:
    from twinlab.history import HistoryReader
    from twinlab.twin.lineage.definitions import DefinitionSteps

__all__ = ["found_lineage"]


def found_lineage(
    reader: HistoryReader, row: Mapping[str, Any], expression: object, on: object, definitions: DefinitionSteps
) -> Lineage:
    """Return the lineage of an event that was found.

    Parameters
    ----------
    row : mapping of column to value
    expression, on : str
        The condition and its asset type; of a row that `find` returned, they are in the ``attrs`` of its table.

    Raises
    ------
    SchemaError
        If the expression isn't known.
    """
    if not isinstance(expression, str):
        msg = "expected a row of the table as `find` returned it, with the expression in its attrs; take a row of that table"
        raise SchemaError(msg)
    model = reader.model
    node = parse(expression)
    kind = str(on or named_type(node, model))
    condition = bind_condition(node, AssetContext(model, kind), text=expression)
    span = span_text(row["start"], row["end"])
    asset = str(row["asset"])
    first = Step("event", f"{kind}/{asset}, {span}", expression)
    subject = f"{expression}, {kind}/{asset}, {span} UTC"
    times = row["start"], row["end"], None
    return condition_lineage(reader, (kind, asset), signals_of(condition), times, [first], subject, definitions)
