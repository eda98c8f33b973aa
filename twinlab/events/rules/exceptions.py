"""Exceptions from a twin's rules: those at an instant, and all of a span, found in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.reading import instant_ns, known
from twinlab.events.rules.exception_table import COLUMNS, concat, worst_first
from twinlab.events.rules.registry import RULE_KINDS

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.reader import TwinReader
    from twinlab.model.rules import Rule

__all__ = ["episodes", "exceptions"]


def exceptions(
    twin: TwinReader, *, at: object, rules: Sequence[str] | Mapping[str, Rule] | None = None
) -> pd.DataFrame:
    """Return the exceptions at an instant, worst first.

    Parameters
    ----------
    twin : TwinReader
    at : instant
        Naive is UTC. What was observed or happened later doesn't count.
    rules : sequence of names, or mapping of name to Rule, optional
        All rules of the model by default.

    Returns
    -------
    DataFrame
        ``key`` (rule, asset or event, and since: the same for as long as the exception lasts), ``rule, title, severity,
        asset_type, asset, event_type, event_id``; ``since`` (when a condition became true, the last observation or the
        planned time; NaT if there was never an observation, or it began before the furthest look-back), ``raised`` (when
        it had lasted long enough to be reported), ``until`` (NaT until it's over), ``value`` and ``limit`` in ``unit``,
        ``text``, and ``beyond`` (by which rows of one severity are ordered).

    Raises
    ------
    UnknownTermError
        If the model has no such rule.

    Notes
    -----
    A gauge's value is valid for an hour (at least three cells) after its last good observation, a state's until its next
    one. Failed observations are ignored; suspect ones count. Beginnings are searched up to 32 days back.
    """
    now = instant_ns(at)
    parts = [_spans(twin, name, rule, now, now + 1) for name, rule in _rules(twin, rules).items()]
    return worst_first(concat(parts))


def episodes(twin: TwinReader, rule: str | Mapping[str, Rule], *, start: object, stop: object) -> pd.DataFrame:
    """Return all exceptions of a rule that overlap ``[start, stop)``, in order of time; columns as in `exceptions`.

    ``until`` is NaT for those that weren't over at ``stop``; for the others ``value`` is the worst.

    Raises
    ------
    UnknownTermError
        If the model has no such rule.
    SchemaError
        If ``start`` isn't before ``stop``.
    """
    low, high = instant_ns(start), instant_ns(stop)
    if not low < high:
        msg = f"expected start before stop, got {start} and {stop}; swap them or widen the window"
        raise SchemaError(msg)
    chosen = _rules(twin, [rule] if isinstance(rule, str) else rule)
    found = concat([_spans(twin, name, one, low, high) for name, one in chosen.items()])
    return found.sort_values(["since", "key"], na_position="first", ignore_index=True)


def _rules(twin: TwinReader, rules: Sequence[str] | Mapping[str, Rule] | None) -> dict[str, Rule]:
    if isinstance(rules, Mapping):
        for name, rule in rules.items():
            faults = rule.faults(twin.model)
            if faults:
                msg = f"rule {name!r}: {'; '.join(faults)}"
                raise UnknownTermError(msg)
        return dict(rules)
    names = list(twin.model.rules) if rules is None else list(rules)
    return {name: known(name, twin.model.rules, "rule") for name in names}


def _spans(twin: TwinReader, name: str, rule: Rule, start_ns: int, stop_ns: int) -> pd.DataFrame:
    found = RULE_KINDS.get(rule.kind).find(twin, name, rule, start_ns=start_ns, stop_ns=stop_ns)
    if list(found.columns) != list(COLUMNS):
        msg = (
            f"rule {name!r}: its kind {rule.kind!r} returned the columns {', '.join(map(str, found.columns))}, expected "
            f"those of a table of exceptions; make it with twinlab.events.exception_rows"
        )
        raise SchemaError(msg)
    return found
