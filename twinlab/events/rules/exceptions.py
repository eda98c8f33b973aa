"""Exceptions from a twin's rules: what stands at an instant, and what stood in a span; one way to find both."""

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
    """Return what stands against the rules at an instant, worst first.

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
        ``key`` (rule, asset or event, and since: stays the same for as long as it stands), ``rule, title, severity,
        asset_type, asset, event_type, event_id``; ``since`` (when it began to hold, was last heard, was planned; NaT:
        never heard, or longer than is looked back), ``raised`` (when it had lasted long enough to be told), ``until``
        (NaT while it stands), ``value`` and ``limit`` in ``unit``, ``text`` in words, ``beyond`` (by which rows of one
        severity are ordered).

    Raises
    ------
    UnknownTermError
        If the model has no such rule.

    Notes
    -----
    Gauges hold for an hour (at least three cells) after their last good observation, states until their next one.
    Failed observations neither raise nor end anything; suspect ones count. A beginning is searched back for 32 days.
    """
    now = instant_ns(at)
    parts = [_spans(twin, name, rule, now, now + 1) for name, rule in _chosen(twin, rules).items()]
    return worst_first(concat(parts))


def episodes(twin: TwinReader, rule: str | Mapping[str, Rule], *, start: object, stop: object) -> pd.DataFrame:
    """Return all spans in which a rule stood in ``[start, stop)``, in order of time; columns as `exceptions` gives them.

    ``until`` is NaT for what still stood at ``stop``; of what is over, ``value`` is the worst.

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
    chosen = _chosen(twin, [rule] if isinstance(rule, str) else rule)
    found = concat([_spans(twin, name, one, low, high) for name, one in chosen.items()])
    return found.sort_values(["since", "key"], na_position="first", ignore_index=True)


def _chosen(twin: TwinReader, rules: Sequence[str] | Mapping[str, Rule] | None) -> dict[str, Rule]:
    if isinstance(rules, Mapping):
        for name, rule in rules.items():
            faults = rule.faults(twin.model.asset_types, twin.model.event_types)
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
