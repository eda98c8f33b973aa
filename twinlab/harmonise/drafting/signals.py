"""Draft one signal from a column: its definition in the model and its rule in the mapping."""

from __future__ import annotations

from twinlab.harmonise.drafting.columns import quantity_of
from twinlab.harmonise.drafting.kinds.labels import is_label, label_question
from twinlab.harmonise.drafting.model import SignalPlan
from twinlab.harmonise.drafting.profiles import Profile
from twinlab.harmonise.drafting.questions import QuestionPlan
from twinlab.harmonise.drafting.units import range_hint
from twinlab.harmonise.drafting.yaml_text import comment, flow, quoted
from twinlab.model.quantities.table import choices
from twinlab.model.units import canonical_unit

__all__ = ["rule_lines", "signal_of", "signal_questions", "words_note"]

_MAX_STATES = 12
_ZERO_ONE = "only 0 and 1: a state?"


def signal_of(profile: Profile, *, cadence: str, cadence_note: str, counter: str | None = None) -> SignalPlan | None:
    """Return a column as a signal; None for times, empty columns, and texts with too many distinct values for a state.

    ``counter`` is the evidence that the column is a counter, if it is one.
    """
    if profile.kind in {"text", "bool"}:
        few = 2 <= profile.distinct <= _MAX_STATES and (
            profile.kind == "bool" or profile.distinct <= max(3, profile.filled // 5)
        )
        if not few and profile.kind != "bool":
            return None
        note = f"{profile.distinct} different texts"
        return _state(profile, cadence, cadence_note, note)
    if profile.kind != "number":
        return None
    unit = canonical_unit(profile.unit.unit) if profile.unit.unit else None
    quantity = quantity_of(profile)
    if profile.terms == ("0", "1") and unit is None and quantity is None and profile.filled > 2:
        return _state(profile, cadence, cadence_note, _ZERO_ONE)
    evidence = profile.unit.evidence
    hint = range_hint(profile.unit.stem or profile.name, profile.low, profile.high)
    unit_note = evidence if unit else f"unit not stated: {evidence + '; ' if evidence else ''}{hint}"
    return SignalPlan(
        "counter" if counter else "gauge", unit, profile.decimals, cadence, profile.name,
        unit_note=unit_note, cadence_note=cadence_note, kind_note=f"a counter: {counter}" if counter else "",
        span=(profile.low, profile.high),
        unit_choices=() if unit or quantity is None else choices(quantity, profile.low, profile.high), label=is_label(profile.name),
        more_decimals=profile.more_decimals,
    )  # fmt: skip


def _state(profile: Profile, cadence: str, cadence_note: str, note: str) -> SignalPlan:
    return SignalPlan(
        "state", None, 0, cadence, profile.name, states=profile.terms, cadence_note=cadence_note, kind_note=note,
        label=is_label(profile.name),
    )  # fmt: skip


def signal_questions(path: str, signal: SignalPlan) -> list[QuestionPlan]:
    """Return the questions about a label, or a signal with the values 0 and 1; ``path`` is its path in the model."""
    if signal.label:
        return [label_question(path, signal.title)]
    if signal.kind_note != _ZERO_ONE:
        return []
    ask = "What do 0 and 1 mean? Name both states, or make it a gauge."
    return [QuestionPlan(f"{path}.states.1", ask, _ZERO_ONE, ("1", "on", "open", "yes", "fault"), drafted="1")]


def rule_lines(term: str, signal: SignalPlan, profile: Profile, indent: str, *, written: bool = True) -> list[str]:
    """Return the YAML lines of a column's rule; ``written`` is False if the rows state the unit."""
    lines = [f"{indent}signal: {term}"]
    if signal.kind != "state" and written:
        if profile.unit.unit:
            lines.append(f"{indent}unit: {quoted(profile.unit.unit)}{comment(signal.unit_note)}")
        else:
            lines.append(f"{indent}# {' '.join(signal.unit_note.split())}")
    no_values = profile.no_values if profile.kind == "number" else profile.missing
    if no_values:
        notes = ["far from all other values, or a usual text for no value"] if profile.missing else []
        notes += [words_note(profile)] if profile.words and profile.kind == "number" else []
        lines.append(f"{indent}missing: {flow(no_values)}{comment('found in the column: ' + '; '.join(notes))}")
    if profile.odd:
        lines.append(
            f"{indent}# texts among the numbers, reported as problems: {' '.join(', '.join(map(repr, profile.odd[:5])).split())}"
        )
    return lines


def words_note(profile: Profile) -> str:
    """Return the words among a column's numbers, with counts: "'Ice' in 3 rows"."""
    return ", ".join(f"{word!r} in {count} rows" for word, count in profile.words)
