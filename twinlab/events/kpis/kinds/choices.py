"""Checks that options of kinds of KPIs share: that a signal or property is there, and of the right kind."""

from __future__ import annotations

import re
from collections.abc import Sequence

from twinlab.model.asset_types import AssetType
from twinlab.model.terms import nearest

__all__ = ["gauge", "number_property", "state_condition"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def gauge(signal: str, name: str, spec: AssetType) -> str:
    """Return a signal of an asset type that isn't a state.

    Raises
    ------
    ValueError
        If the type has no such signal, or it is a state.
    """
    found = spec.signals.get(signal)
    if found is None or found.kind == "state":
        numbers = [key for key, one in spec.signals.items() if one.kind != "state"]
        msg = f"expected a signal of {name!r} that is a number, got {signal!r}{nearest(signal, numbers)}"
        raise ValueError(msg)
    return signal


def number_property(limit: str, name: str, spec: AssetType) -> str:
    """Return a number property of an asset type, or a number with its unit as it is.

    Raises
    ------
    ValueError
        If it is a name that the type has no number property of.
    """
    if _NAME.fullmatch(limit) is None:
        return limit
    numbers = [key for key, one in spec.properties.items() if one.dtype in ("number", "integer")]
    if limit not in numbers:
        msg = (
            f"expected a number property of {name!r}, or a number with its unit, got {limit!r}{nearest(limit, numbers)}"
        )
        raise ValueError(msg)
    return limit


def state_condition(signal: str, states: Sequence[str], name: str, spec: AssetType) -> str:
    """Return the condition that a state signal is in one of some states.

    Raises
    ------
    ValueError
        If the type has no such state signal, or the signal no such state.
    """
    found = spec.signals.get(signal)
    if found is None or found.states is None:
        having = [key for key, one in spec.signals.items() if one.kind == "state"]
        msg = f"expected a state signal of {name!r}, got {signal!r}{nearest(signal, having)}"
        raise ValueError(msg)
    for state in states:
        if state not in found.states.values():
            msg = f"expected a state of {signal!r}, got {state!r}{nearest(state, found.states.values())}"
            raise ValueError(msg)
    return " or ".join(f'{signal} == "{state}"' for state in states)
