"""Which exceptions vanish, appear or move when values are calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.events.reading import instant_ns, known
from twinlab.events.rules.exceptions import episodes
from twinlab.events.rules.registry import RULE_KINDS
from twinlab.history.revisions.table_changes import matched_changes
from twinlab.model.calibration import Calibrations
from twinlab.model.reader import SomeAssets
from twinlab.twin.calibrations.readers import CalibratedReader

if TYPE_CHECKING:
    from twinlab.history import HistoryReader
    from twinlab.model.reader import TwinReader
    from twinlab.model.rules import Rule

__all__ = ["EFFECT_COLUMNS", "changed_exceptions", "span_of"]

#: Columns of the table and their types.
EFFECT_COLUMNS: dict[str, str] = {
    "change": "str",
    "rule": "str",
    "title": "str",
    "severity": "str",
    "asset_type": "str",
    "asset": "str",
    "start": "datetime64[ns]",
    "end": "datetime64[ns]",
    "start_before": "datetime64[ns]",
    "end_before": "datetime64[ns]",
    "value": "float64",
    "value_before": "float64",
    "limit": "float64",
    "unit": "str",
    "key": "str",
    "key_before": "str",
}
#: Exceptions may begin this long before a calibration applies, and end as long after it.
_AROUND = 86400 * 10**9
_EVER = 2**63 - 1
_SAME = ("rule", "title", "severity", "asset_type", "limit", "unit")


def changed_exceptions(
    twin: TwinReader, calibrations: Calibrations, *, start: object, stop: object, rules: Sequence[str] | None = None
) -> pd.DataFrame:
    """Compare the exceptions of a span on the values as they are with those on the calibrated values.

    Only rules that compare a calibrated signal, and rules of kinds that other packages add, are evaluated: whether a signal is
    silent, how it is flagged and when an event takes place don't depend on calibrations.

    Returns
    -------
    DataFrame
        Columns `EFFECT_COLUMNS`; ``change`` is one of vanished, appeared, moved and split. Exceptions that stay aren't listed.

    Raises
    ------
    UnknownTermError
        If the model has no such rule.
    SchemaError
        If ``start`` isn't before ``stop``.
    """
    chosen = {name: known(name, twin.model.rules, "rule") for name in (twin.model.rules if rules is None else rules)}
    parts = []
    for name, rule in chosen.items():
        only = _assets_concerned(twin, rule, calibrations)
        if only is not None and not any(only.values()):
            continue
        some = twin if only is None else SomeAssets(twin, only)
        old, new = (
            episodes(CalibratedReader(some, each), name, start=start, stop=stop)
            for each in (Calibrations(), calibrations)
        )
        parts.append(_changes(old, new))
    full = [part for part in parts if len(part)]
    if not full:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in EFFECT_COLUMNS.items()})
    table = pd.concat(full, ignore_index=True)[list(EFFECT_COLUMNS)].astype(EFFECT_COLUMNS)
    when = table["start"].fillna(table["start_before"])
    return table.iloc[when.argsort(kind="stable")].reset_index(drop=True)


def span_of(reader: HistoryReader, calibrations: Calibrations, start: object, stop: object) -> tuple[object, object]:
    """Return the span in which calibrations can have an effect, with a day around it, where ``start`` or ``stop`` isn't given."""
    if start is None:
        low = min((max(one.span_ns[0], -_EVER + _AROUND) for one in calibrations.calibrations), default=0)
        start = np.datetime64(max(low - _AROUND, reader.model.origin_ns), "ns")
    if stop is None:
        last = [one.last for one in reader.value_extents().values()]
        if not last:
            return start, np.datetime64(instant_ns(start) + 1, "ns")
        # The last cell counts from its start on.
        high = int(max(last).astype("datetime64[ns]").astype(np.int64)) + 1
        until = max((min(one.span_ns[1], _EVER - _AROUND) for one in calibrations.calibrations), default=high)
        stop = np.datetime64(max(min(high, until + _AROUND), instant_ns(start) + 1), "ns")
    if not instant_ns(start) < instant_ns(stop):
        msg = f"expected start before stop, got {start} and {stop}; swap them or widen the window"
        raise SchemaError(msg)
    return start, stop


def _assets_concerned(twin: TwinReader, rule: Rule, calibrations: Calibrations) -> dict[str, list[str]] | None:
    """Return the calibrated assets that a rule looks at, by type; None if it may look at all."""
    if rule.kind not in RULE_KINDS.built_in():
        return None
    if rule.kind != "when":
        return {}
    if rule.is_about_others(twin.model):
        return None
    signals = rule.signals(twin.model)
    pairs = [(one.asset.partition("/"), one.signal) for one in calibrations.calibrations]
    ids = dict.fromkeys(asset for (kind, _, asset), signal in pairs if kind == rule.on and signal in signals)
    if not ids:
        return {}
    # A calibrated asset may have no history yet.
    there = {str(one) for one in twin.history(rule.on, signals=[next(iter(signals))])["asset"].values}
    return {rule.on: [one for one in ids if one in there]}


def _changes(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    changes = matched_changes(old, new, key="key", times=("since", "until"))
    before, after = (table.drop_duplicates("key").set_index("key") for table in (old, new))
    now = after.reindex(changes["key"]).reset_index(drop=True)
    then = before.reindex(changes["key_before"]).reset_index(drop=True)
    # A vanished one has its rule and limit from before.
    same = {name: now[name].where(now[name].notna(), then[name]) for name in _SAME}
    found: pd.DataFrame = changes.reset_index(drop=True).assign(**same, value=now["value"], value_before=then["value"])
    return found
