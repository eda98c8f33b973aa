"""Expressions: one grammar for what `find`, rules, KPIs and alerts compare; parsed, never evaluated as Python.

In: a text such as ``temperature > 8 degC and door == open``. Out: a syntax tree, and bound to an asset type, an event type, a
dataset or a table, a tree of comparisons whose numbers have all been converted.
Read in order: `syntax`, `tokens`, `parser`, `bound`, `contexts`, `operands` (units), `functions`, `binder`, `completion`, `faults`.
Never: data read, code executed, a unit guessed.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "AssetContext": "contexts",
        "Context": "contexts",
        "DatasetContext": "contexts",
        "EventContext": "contexts",
        "ExpressionError": "faults",
        "TableContext": "contexts",
        "bind": "binder",
        "bind_condition": "binder",
        "bind_value": "binder",
        "completions": "completion",
        "bound": ":bound",
        "parse": "parser",
        "syntax": ":syntax",
    },
)
