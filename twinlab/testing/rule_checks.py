"""Conformance checks of rules: what twinlab relies on when it asks somebody's rule for exceptions, or for intrusions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.events.intrusion.fold import Memory, findings_of
from twinlab.events.intrusion.rule import Finding
from twinlab.events.reading import instant_ns
from twinlab.events.rules.exception_table import COLUMNS, EARLIER
from twinlab.events.rules.registry import RULE_KINDS
from twinlab.model.intrusion.section import SecurityRule
from twinlab.model.rules import Rule
from twinlab.testing.fake_twin import FakeTwin

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.events.intrusion.records import LogRecord
    from twinlab.events.intrusion.rule import IntrusionRule
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["check_intrusion_rule", "check_rule"]

_NAME = "checked"
_TIMES = ("start", "end")


def check_rule(
    rule: Rule | Mapping[str, object],
    *,
    twin: TwinReader | None = None,
    start: object = None,
    stop: object = None,
    expected: int | None = None,
) -> None:
    """Check that a rule, and so its kind, finds exceptions as pages and reports rely on it.

    Its table has the right columns; spans overlap the window and have begun before they are raised; keys are unique and
    made of rule, asset or event, and beginning; what is observed or happens after the window doesn't count; and a part of
    the window gives the same exceptions as the whole.

    Parameters
    ----------
    rule : Rule or mapping
        A rule of the kind to check, as ``twin.yaml`` has it.
    twin : TwinReader, optional
        A twin with exceptions to find; by default `FakeTwin.example`.
    start, stop : instants, optional
        The window, naive UTC; by default all of the twin's history.
    expected : int, optional
        How many exceptions there are in the window; by default at least one.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong.
    pydantic.ValidationError
        If the rule breaks its schema.

    >>> check_rule({"on": "station", "when": "temperature > 20 degC"}, twin=FakeTwin.example(days=3, trips=10))
    """
    made = rule if isinstance(rule, Rule) else Rule.model_validate(rule)
    reader = FakeTwin.example() if twin is None else twin
    faults = made.faults(reader.model)
    _check(not faults, f"the rule doesn't fit the twin's model: {'; '.join(faults)}")
    low, high = _window(reader, made, start, stop)
    whole = _find(reader, made, low, high)
    if expected is None:
        _check(len(whole) > 0, f"{made.kind}: found nothing; give a rule and a window with exceptions")
    else:
        _check(len(whole) == expected, f"{made.kind}: expected {expected} exceptions, got {len(whole)}")
    _check_empty(reader, made)
    for share in (0.3, 0.6, 0.9):
        at = low + round((high - low) * share)
        _check_known(reader, made, low, at)
        _check_part(made, whole, _find(reader, made, at, high), at)


def check_intrusion_rule(rule: IntrusionRule, records: Sequence[LogRecord], *, expected: int) -> None:
    """Check that a rule of the lines of logs finds what it should, and finds the same after a restart.

    Parameters
    ----------
    rule : IntrusionRule
        With ``see``.
    records : sequence of LogRecord
        In order of time.
    expected : int
        Number of findings in them.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong.

    >>> from twinlab.events.intrusion import INTRUSION_RULES, LogRecord
    >>> refused = LogRecord(10, "publish denied", "truck-1", "10.0.0.9", target="command/truck-2/stop")
    >>> check_intrusion_rule(INTRUSION_RULES.get("access_refused"), [refused], expected=1)
    """
    fault = rule.fault()
    _check(not fault, f"{rule.name}: {fault}")
    rules, settings = {rule.name: rule}, SecurityRule()
    whole = list(findings_of(records, rules, settings, Memory()))
    _check(len(whole) == expected, f"{rule.name}: expected {expected} findings, got {len(whole)}")
    _check(all(one.rule == rule.name for one in whole), f"{rule.name}: a finding has the name of another rule")
    _check(all(one.start <= one.end for one in whole), f"{rule.name}: a finding ends before it begins")
    memory, parts = Memory(), list[Finding]()
    for record in records:
        memory = Memory(json.loads(json.dumps(memory.of_rule)))
        parts += findings_of([record], rules, settings, memory)
    _check(
        parts == whole, f"{rule.name}: other findings after restarts; what it knows must be in memory, as JSON has it"
    )


def _check(condition: bool, message: str) -> None:  # noqa: FBT001
    if not condition:
        raise AssertionError(message)


def _window(twin: TwinReader, rule: Rule, start: object, stop: object) -> tuple[int, int]:
    if start is not None and stop is not None:
        return instant_ns(start), instant_ns(stop)
    if rule.on in twin.model.event_types:
        table = twin.events(rule.on)
        first, last = table["planned_start"].min(), table["planned_end"].max()
    else:
        times = twin.history(rule.on).time.values
        first, last = times[0], times[-1]
    return instant_ns(first if start is None else start), instant_ns(last if stop is None else stop)


def _find(twin: TwinReader, rule: Rule, low: int, high: int) -> pd.DataFrame:
    """Return the exceptions of a window after checking their table."""
    kind = RULE_KINDS.get(rule.kind)
    found = kind.find(twin, _NAME, rule, start_ns=low, stop_ns=high)
    _check(isinstance(found, pd.DataFrame), f"{kind.name}: expected a DataFrame, got a {type(found).__name__}")
    types = {str(name): str(dtype) for name, dtype in found.dtypes.items()}
    _check(
        list(types) == list(COLUMNS) and (not len(found) or types == COLUMNS),
        f"{kind.name}: expected the columns {COLUMNS}, got {types}; make the table with twinlab.events.exception_rows",
    )
    since, raised, until = (_ns(found[name]) for name in ("since", "raised", "until"))
    began, open_ended = ~np.isnat(since), np.isnat(until)
    known = began & ~np.isnat(raised)
    start, stop = np.datetime64(low, "ns"), np.datetime64(high, "ns")
    _check(bool((since[began] < stop).all()), f"{kind.name}: an exception begins after the window")
    _check(bool((until[~open_ended] > start).all()), f"{kind.name}: an exception is over before the window")
    _check(bool((since[known] <= raised[known]).all()), f"{kind.name}: an exception is raised before it begins")
    _check(bool((raised[known] < stop).all()), f"{kind.name}: an exception is raised after the window")
    ended = began & ~open_ended
    _check(bool((since[ended] < until[ended]).all()), f"{kind.name}: an exception ends before it begins")
    _check_keys(rule, found)
    return found


def _check_keys(rule: Rule, found: pd.DataFrame) -> None:
    who = np.where(found["event_id"] != "", found["event_id"], found["asset"])
    since = _ns(found["since"])
    when = np.where(np.isnat(since), EARLIER, since.astype("datetime64[s]").astype(str))
    keys = [f"{_NAME}/{one}/{time}" for one, time in zip(who.tolist(), when.tolist(), strict=True)]
    _check(
        found["key"].tolist() == keys,
        f"{rule.kind}: a key must be rule/asset/since; make the table with twinlab.events.exception_rows",
    )
    _check(
        len(set(keys)) == len(keys), f"{rule.kind}: two exceptions have the same key; join spans that begin together"
    )
    _check(bool((found["severity"] == rule.severity).all()), f"{rule.kind}: the severity isn't the rule's")


def _check_empty(twin: TwinReader, rule: Rule) -> None:
    """A window before the twin's first data, and a twin without data, have columns and no exception that has begun."""
    low = twin.model.origin_ns
    _find(twin, rule, low, low + 1)
    nothing = FakeTwin(twin.model)
    if rule.on in twin.model.asset_types:
        found = _find(nothing, rule, low, low + 10**15)
        _check(len(found) == 0, f"{rule.kind}: it finds {len(found)} exceptions in a twin without assets")


def _check_known(twin: TwinReader, rule: Rule, low: int, at: int) -> None:
    """What is known at an instant counts, nothing later."""
    found, then = _find(twin, rule, low, at), _find(_Until(twin, at), rule, low, at)
    same = found.reset_index(drop=True).equals(then.reset_index(drop=True))
    _check(same, f"{rule.kind}: what is observed or happens after the stop changes the exceptions before it")


def _check_part(rule: Rule, whole: pd.DataFrame, part: pd.DataFrame, at: int) -> None:
    until = _ns(whole["until"])
    touching = whole[np.isnat(until) | (until > np.datetime64(at, "ns"))]
    # A beginning further back than a rule looks isn't known in one of the two.
    keys, others = ({key for key in table["key"] if not key.endswith(f"/{EARLIER}")} for table in (touching, part))
    _check(
        keys == others,
        f"{rule.kind}: a part of the window gives other exceptions than the whole: {sorted(keys ^ others)[:3]}; "
        "look back from the start for what began before it",
    )


def _ns(column: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    return np.asarray(column.to_numpy(dtype="datetime64[ns]"))


class _Until:
    """A twin as it was known at an instant: without later observations and without times of events after it."""

    def __init__(self, twin: TwinReader, stop_ns: int) -> None:
        self._twin = twin
        self._stop = stop_ns

    @property
    def model(self) -> TwinModel:
        return self._twin.model

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        last = self._stop if stop is None else min(instant_ns(stop), self._stop)
        return self._twin.history(
            asset_type, signals=signals, assets=assets, start=start, stop=np.datetime64(last, "ns"), step=step
        )

    def events(
        self, event_type: str, *, start: object = None, stop: object = None, assets: Sequence[str] | None = None
    ) -> pd.DataFrame:
        table = self._twin.events(event_type, start=start, stop=stop, assets=assets).copy()
        for name in _TIMES:
            table[name] = table[name].where(table[name] < np.datetime64(self._stop, "ns"))
        return table

    def assets(self, asset_type: str) -> pd.DataFrame:
        return self._twin.assets(asset_type)

    def relationships(self, relationship: str) -> pd.DataFrame:
        return self._twin.relationships(relationship)

    def steps(self, asset_type: str, signal: str) -> tuple[str, ...]:
        return self._twin.steps(asset_type, signal)
