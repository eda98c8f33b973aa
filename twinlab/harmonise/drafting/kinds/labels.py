"""Recognise labels: what somebody found out afterwards, which is never an input of a model or a rule."""

from __future__ import annotations

import re

from twinlab.harmonise.drafting.kinds.words import spaced
from twinlab.harmonise.drafting.questions import QuestionPlan

__all__ = ["is_label", "label_question"]

_EVENT = r"anomal(?:y|ies|ous)|outliers?|faults?|faulty|failures?|attacks?|intrusions?|defects?|change_?points?|leaks?"
#: "temperature_label", "is_fault", "RUL", "in_window"; a plain "target" may be a setpoint, so it isn't among them.
_LABEL = re.compile(
    rf"(?:.*_)?(?:labels?|ground_?truth|y_true|truth)(?:_.*)?"
    rf"|(?:is_|has_|true_|under_)?(?:{_EVENT})(?:_(?:flag|type|class|id|name|score_true|no|nr|number|start|present|active))?"
    rf"|(?:machine|engine|pump|bearing|component|sensor|system)_(?:{_EVENT})"
    r"|(?:true_)?rul(?:_.*)?|remaining_useful_life(?:_.*)?|time_to_failure|ttf|cycles_to_failure"
    r"|(?:in_)?(?:anomaly_)?window|window_count|true_(?:class|state|occupancy|value)|normal_?attack",
    re.IGNORECASE,
)


def is_label(name: str) -> bool:
    """Return whether a column is named as a label.

    >>> [is_label(name) for name in ("is_fault", "RUL", "changepoint", "default", "window", "fault current")]
    [True, True, True, False, True, False]
    """
    return _LABEL.fullmatch(spaced(name)) is not None


def label_question(path: str, column: str) -> QuestionPlan:
    """Return the question about a drafted label; ``path`` is the signal's path in the model."""
    ask = f"Was {column!r} found out afterwards, so that no rule or model may use it?"
    return QuestionPlan(f"{path}.role", ask, "named as a label", ("label", "measurement"), drafted="label")
