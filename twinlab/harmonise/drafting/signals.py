"""Draft one signal from a column: its definition in the model and its rule in the mapping."""

from __future__ import annotations

import re
from collections.abc import Sequence

from twinlab.harmonise.drafting.model import SignalPlan
from twinlab.harmonise.drafting.profiles import Profile
from twinlab.harmonise.drafting.units import range_hint, unit_of
from twinlab.harmonise.drafting.yaml_text import comment, flow, quoted
from twinlab.model.units import canonical_unit

__all__ = ["rule_lines", "signal_of", "stated_unit"]

_COUNTER = re.compile(r"(?i)total|count|energy|kwh|mwh|meter|zähler|zaehler|odometer|mileage|km-?stand|cumul")
_MAX_STATES = 12


def signal_of(profile: Profile, *, cadence: str, cadence_note: str) -> SignalPlan | None:
    """Return a column as a signal; None for times, empty columns, and texts with too many distinct values for a state."""
    if profile.kind in {"text", "bool"}:
        few = 2 <= profile.distinct <= _MAX_STATES and (
            profile.kind == "bool" or profile.distinct <= max(2, profile.filled // 5)
        )
        if not few and profile.kind != "bool":
            return None
        return SignalPlan(
            "state",
            None,
            0,
            cadence,
            profile.name,
            states=profile.terms,
            cadence_note=cadence_note,
            kind_note=f"{profile.distinct} different texts",
        )
    if profile.kind != "number":
        return None
    unit = canonical_unit(profile.unit.unit) if profile.unit.unit else None
    evidence = profile.unit.evidence
    hint = range_hint(profile.name, profile.low, profile.high)
    unit_note = evidence if unit else f"unit not stated: {evidence + '; ' if evidence else ''}{hint}"
    counter = profile.rising and _COUNTER.search(profile.name) is not None
    kind_note = (
        "never falls: looks like a counter"
        if counter
        else "only 0 and 1: possibly a state"
        if profile.terms == ("0", "1")
        else ""
    )
    return SignalPlan(
        "counter" if counter else "gauge", unit, profile.decimals, cadence, profile.name,
        unit_note=unit_note, cadence_note=cadence_note, kind_note=kind_note, span=(profile.low, profile.high),
    )  # fmt: skip


def stated_unit(units: Sequence[str]) -> tuple[str | None, str]:
    """Return the unit that the rows of one tag state, and a comment about it."""
    known = [unit for unit in units if _is_unit(unit)]
    if len(units) == 1 and known:
        return canonical_unit(known[0]), f"the rows say {known[0]!r}"
    return (
        canonical_unit(known[0]) if known else None
    ), f"the rows say {', '.join(map(repr, units)) or 'nothing'}: check"


def _is_unit(text: str) -> bool:
    return unit_of("x", units_row=text).unit is not None


def rule_lines(term: str, signal: SignalPlan, profile: Profile, indent: str, *, written: bool = True) -> list[str]:
    """Return the YAML lines of a column's rule; ``written`` is False if the rows state the unit."""
    lines = [f"{indent}signal: {term}"]
    if signal.kind != "state" and written:
        if profile.unit.unit:
            lines.append(f"{indent}unit: {quoted(profile.unit.unit)}{comment(signal.unit_note)}")
        else:
            lines.append(f"{indent}# {' '.join(signal.unit_note.split())}")
    if profile.missing:
        lines.append(
            f"{indent}missing: {flow(profile.missing)}  # found in the column: far from all other values, or a usual text for no value"
        )
    if profile.odd:
        lines.append(
            f"{indent}# texts among the numbers, reported as problems: {' '.join(', '.join(map(repr, profile.odd[:5])).split())}"
        )
    return lines
