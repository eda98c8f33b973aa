"""What a retention rule keeps at full rate: spans of exceptions, of events and finders, and around suspect and failed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from twinlab.events.finding.finder import find
from twinlab.events.rules.exceptions import episodes
from twinlab.history.retention.kept_spans import Spans, flagged_spans, joined
from twinlab.model.expressions.walk import has_relation, signals_of
from twinlab.model.rules import Rule

if TYPE_CHECKING:
    from twinlab.history.store.view import View
    from twinlab.history.write.removal import Kept
    from twinlab.model.finders.finder import Finder
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["finders_of_gauges", "found_events", "found_exceptions", "found_keys", "kept_spans", "rules_of_gauges"]


def kept_spans(
    reader: TwinReader,
    view: View,
    columns: Mapping[str, Sequence[str]],
    *,
    keep: Sequence[Literal["events", "flagged"]],
    margin_ns: int,
    since_ns: int,
    before_ns: int,
) -> dict[str, Kept]:
    """Return what stays at full rate before an instant, by asset type."""
    parts: dict[str, list[Spans]] = {}
    if "flagged" in keep:
        for kind, some in flagged_spans(view, columns, before_ns=before_ns).items():
            parts.setdefault(kind, []).append(some)
    if "events" in keep:
        for kind, table in _events(reader, since_ns, before_ns):
            parts.setdefault(kind, []).append(_spans(table, before_ns))
    return {kind: joined(some, margin_ns=margin_ns, before_ns=before_ns) for kind, some in sorted(parts.items())}


def rules_of_gauges(model: TwinModel) -> dict[str, Rule]:
    """Return the rules whose exceptions depend on cells of gauges."""
    return {
        name: rule
        for name, rule in model.rules.items()
        if rule.on in model.asset_types
        and any(signal.kind == "gauge" for signal in model.asset_types[rule.on].signals.values())
    }


def found_exceptions(reader: TwinReader, *, since_ns: int, before_ns: int) -> pd.DataFrame:
    """Return the exceptions, of rules that depend on gauges, that overlap a span of time."""
    rules = rules_of_gauges(reader.model)
    if not rules or before_ns <= since_ns:
        return pd.DataFrame({"key": [], "rule": [], "asset_type": [], "asset": [], "since": [], "until": []})
    return episodes(reader, rules, start=np.datetime64(since_ns, "ns"), stop=np.datetime64(before_ns, "ns"))


def finders_of_gauges(model: TwinModel) -> dict[str, Finder]:
    """Return the finders whose events depend on cells of gauges, of their assets or of those that these are related to."""
    out = {}
    for name, finder in model.events.items():
        condition, signals = finder.condition(model), model.asset_types[finder.on].signals
        if has_relation(condition) or any(signals[one].kind == "gauge" for one in signals_of(condition)):
            out[name] = finder
    return out


def found_events(reader: TwinReader, *, since_ns: int, before_ns: int) -> dict[str, pd.DataFrame]:
    """Return the events, of finders that depend on gauges, that overlap a span: ``key, asset, since, until`` by finder."""
    if before_ns <= since_ns:
        return {}
    start, stop = np.datetime64(since_ns, "ns"), np.datetime64(before_ns, "ns")
    out = {}
    for name, one in finders_of_gauges(reader.model).items():
        found = find(reader, one.when, on=one.on, lasting=one.lasting, gap=one.gap, start=start, stop=stop)
        columns = {"asset": found["asset"], "since": found["start"], "until": found["end"]}
        out[name] = pd.DataFrame({"key": name + "/" + found["event_id"].astype(str), **columns})
    return out


def found_keys(reader: TwinReader, *, since_ns: int, before_ns: int) -> list[str]:
    """Return the keys of the exceptions and of the events of finders that overlap a span."""
    keys: list[str] = found_exceptions(reader, since_ns=since_ns, before_ns=before_ns)["key"].tolist()
    for table in found_events(reader, since_ns=since_ns, before_ns=before_ns).values():
        keys += table["key"].tolist()
    return keys


def _events(reader: TwinReader, since_ns: int, before_ns: int) -> list[tuple[str, pd.DataFrame]]:
    """Return asset types with tables ``asset, since, until`` of their exceptions and events, those of finders, too."""
    model = reader.model
    found = found_exceptions(reader, since_ns=since_ns, before_ns=before_ns)
    out = [(str(kind), table) for kind, table in found.groupby("asset_type")] if len(found) else []
    for name, table in found_events(reader, since_ns=since_ns, before_ns=before_ns).items():
        kind = model.events[name].on
        if any(signal.kind == "gauge" for signal in model.asset_types[kind].signals.values()):
            out.append((kind, table))
    for name, spec in model.event_types.items():
        if spec.asset is None or all(s.kind != "gauge" for s in model.asset_types[spec.asset].signals.values()):
            continue
        rows = reader.events(name, stop=np.datetime64(before_ns, "ns"))
        since = rows["start"].fillna(rows["planned_start"]).fillna(rows["end"])
        out.append(
            (spec.asset, pd.DataFrame({"asset": rows["asset"], "since": since, "until": rows["end"].fillna(since)}))
        )
    return out


def _spans(table: pd.DataFrame, before_ns: int) -> Spans:
    """Return spans of a table; one that isn't over lasts until the instant, one of unknown beginning is its end."""
    stop = np.datetime64(before_ns, "ns")
    until = table["until"].fillna(stop)
    since = table["since"].fillna(until).to_numpy("datetime64[ns]").astype("int64")
    # An instant is a span, too.
    return (
        table["asset"].astype(str).tolist(),
        since,
        np.maximum(until.to_numpy("datetime64[ns]").astype("int64"), since + 1),
    )
