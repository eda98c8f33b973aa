"""The registry of kinds of rules: ``when``, ``silent``, ``late``, ``flagged``, and those that other packages add.

A package adds one with an entry point of the group ``twinlab.rules`` that names a `RuleKind`; a rule in ``twin.yaml`` then
has the kind's name as a key, with the kind's options as its value.
"""

from __future__ import annotations

from twinlab.model.extensions.rule_kind import RuleKind
from twinlab.model.registry import Registry
from twinlab.model.rules import Rule

__all__ = ["RULE_KINDS"]


def _fault(name: str, found: object) -> str:
    if not isinstance(found, RuleKind):
        return f"expected a twinlab.model.RuleKind, got a {type(found).__name__}"
    if name in Rule.model_fields:
        return f"expected a name that isn't a key of every rule, got {name!r}"
    return "" if found.name == name else f"expected the entry point to be called {found.name!r}, as the kind is"


RULE_KINDS: Registry[RuleKind] = Registry(
    "twinlab.rules",
    kind="kind of rule",
    built_in={
        "when": "twinlab.events.rules.conditions:WHEN",
        "silent": "twinlab.events.rules.silence:SILENT",
        "late": "twinlab.events.rules.lateness:LATE",
        "flagged": "twinlab.events.rules.flagged:FLAGGED",
    },
    check=_fault,
)
