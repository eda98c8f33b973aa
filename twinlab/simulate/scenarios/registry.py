"""Kinds of changes, by name. A new kind is one module and one line here; other packages add theirs by an entry point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, SerializeAsAny, ValidationError

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.extensions.options import fault, fault_text, located
from twinlab.model.registry import Registry
from twinlab.model.terms import nearest
from twinlab.simulate.scenarios.change import Change

__all__ = ["CHANGE_KINDS", "AnyChange", "parse_change"]

_KINDS: Final = "twinlab.simulate.scenarios.kinds"


def _fits(name: str, found: object) -> str:
    if not (isinstance(found, type) and issubclass(found, Change)):
        return "expected a class that derives from twinlab.simulate.scenarios.Change"
    stated = found.model_fields["kind"].default
    return "" if stated == name else f"expected its `kind` to have the default {name!r}, got {stated!r}"


CHANGE_KINDS: Registry[type[Change]] = Registry(
    "twinlab.changes",
    kind="kind of change",
    built_in={
        "close": f"{_KINDS}.close:Close",
        "servers": f"{_KINDS}.servers:Servers",
        "add_shift": f"{_KINDS}.servers:AddShift",
        "remove_shift": f"{_KINDS}.servers:WithoutShift",
        "calendar": f"{_KINDS}.servers:UseCalendar",
        "breakdown": f"{_KINDS}.servers:Breakdown",
        "docks": f"{_KINDS}.servers:Docks",
        "demand": f"{_KINDS}.flows:DemandFactor",
        "service": f"{_KINDS}.flows:ServiceFactor",
        "buffer": f"{_KINDS}.flows:Buffer",
        "reroute": f"{_KINDS}.links:Reroute",
        "storm": f"{_KINDS}.links:Storm",
        "speed": f"{_KINDS}.transporters:Speed",
        "transporters": f"{_KINDS}.transporters:Fleet",
        "new_transporters": f"{_KINDS}.transporters:NewTransporters",
        "timetable": f"{_KINDS}.departures:UseTimetable",
        "dispatch": f"{_KINDS}.departures:UseDispatch",
        "reliability": f"{_KINDS}.reliability:Reliability",
        "set_point": f"{_KINDS}.set_point:SetPoint",
    },
    check=_fits,
)


def parse_change(given: object) -> Change:
    """Return a change of its keys, as a YAML file has them; a change as it is.

    Raises
    ------
    pydantic.ValidationError
        With the place of each fault.

    >>> parse_change({"kind": "demand", "factor": 1.2}).factor
    1.2
    """
    if isinstance(given, Change):
        return given
    if not isinstance(given, Mapping):
        raise located(
            [fault((), ValueError("expected a change with its `kind`, such as {kind: close, node: north}"), given)]
        )
    name = given.get("kind")
    if not isinstance(name, str):
        wrong: Exception = SchemaError(f"expected the key 'kind', one of {', '.join(CHANGE_KINDS.names())}")
        raise located([fault(("kind",) if "kind" in given else (), wrong, name)])
    try:
        kind = CHANGE_KINDS.get(name)
    except (UnknownTermError, SchemaError) as error:
        raise located([fault(("kind",), error, name)]) from None
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        lines = []
        for details in error.errors():
            key = str(details["loc"][-1]) if details["loc"] else ""
            problem: Exception = ValueError(fault_text(details))
            if details["type"] == "extra_forbidden" and len(details["loc"]) == 1:
                problem = UnknownTermError(
                    f"a change of the kind {name!r} has no key {key!r}{nearest(key, kind.model_fields)}"
                )
            elif details["type"] == "missing":
                problem = ValueError(f"a change of the kind {name!r} needs the key {key!r}")
            elif isinstance(cause := details.get("ctx", {}).get("error"), Exception):
                problem = cause
            lines.append(fault(tuple(details["loc"]), problem, details["input"]))
        raise located(lines) from None


def _parsed(given: Any) -> Change:  # noqa: ANN401  (what a person wrote)
    return parse_change(given)


#: A change of any kind.
AnyChange = Annotated[SerializeAsAny[Change], BeforeValidator(_parsed)]
