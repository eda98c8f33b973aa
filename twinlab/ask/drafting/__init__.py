"""Scenarios from words: a text becomes changes of a network that are checked and shown; nothing runs before a person says so.

In: a text in English or German, a network or a twin. Out: a `ScenarioDraft` with YAML, what was read from which words, what was assumed;
or the reason why there is none, with texts that are understood.
Read in order: `words`, `names`, `windows`, `clauses`, `amounts`, `changes`, `planner`, `draft`.
Never: a change that no word says, a word that is left out, a run.
"""

from __future__ import annotations

from twinlab._lazy import attach

__all__ = ["Proposal", "ScenarioDraft", "ScenarioPlanner", "WordScenarioPlanner", "draft_changes"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Proposal": "planner",
        "ScenarioDraft": "draft",
        "ScenarioPlanner": "planner",
        "WordScenarioPlanner": "planner",
        "draft_changes": "draft",
    },
)
