"""ASK: questions in words, answered by calls of twinlab that can be read, checked and repeated.

In: a question in English or German, and anything that reads like a twin. Out: an `Answer` with the plan, a table, one sentence and
what each number rests on; or why there is none.
Read in order: `plans` (typed plans, checked against the model), `languages` (words and sentences), `parsing` (a question's words, times
and quantities), `choosing` (which call a question is), `present` (times that no word names), `planner`, `running`, `answer`, `asking`; `drafting` (scenarios from words);
`findings` (three sentences about a span).
Never: a number that no call returned, a word of the question that no part of the plan says, a write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.ask.answer import Answer
    from twinlab.ask.asking import ask, run_plan
    from twinlab.ask.errors import NotUnderstoodError
    from twinlab.ask.findings.explaining import explain
    from twinlab.ask.findings.explanation import Explanation, Finding
    from twinlab.ask.planner import Planner, WordPlanner
    from twinlab.ask.plans.plan import Plan

__all__ = [
    "Answer",
    "Explanation",
    "Finding",
    "NotUnderstoodError",
    "Plan",
    "Planner",
    "WordPlanner",
    "ask",
    "explain",
    "run_plan",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Answer": "answer",
        "Explanation": "findings.explanation",
        "Finding": "findings.explanation",
        "NotUnderstoodError": "errors",
        "Plan": "plans.plan",
        "Planner": "planner",
        "WordPlanner": "planner",
        "ask": "asking",
        "explain": "findings.explaining",
        "run_plan": "asking",
    },
)
