"""The lineage of an exception that a rule found: its rule, the values that it compares, and their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.events.reading import instant_ns
from twinlab.history.read.direct import computed
from twinlab.model.expressions import AssetContext, bind_condition
from twinlab.model.expressions.walk import signals_of
from twinlab.model.yamltext import write_line
from twinlab.twin.lineage.events import event_lineage
from twinlab.twin.lineage.lineage import Lineage
from twinlab.twin.lineage.steps import Step
from twinlab.twin.lineage.texts import count_text, span_text, value_text
from twinlab.twin.lineage.values import last_before, row_steps, rows_between

if TYPE_CHECKING:
    from twinlab.history import HistoryReader
    from twinlab.model.rules import Rule
    from twinlab.model.twinmodel import TwinModel
    from twinlab.twin.lineage.definitions import DefinitionSteps

__all__ = ["condition_lineage", "exception_lineage", "signals_of_rule"]

#: How far before an exception whose beginning isn't known rows are read.
_UNKNOWN = np.timedelta64(1, "D")


def signals_of_rule(rule: Rule, model: TwinModel) -> list[str]:
    """Return the signals that a rule reads, in order; none of one about events."""
    if rule.on not in model.asset_types:
        return []
    if rule.when is not None:
        return signals_of(bind_condition(rule.when, AssetContext(model, rule.on)))
    if rule.silent is not None:
        return list(model.asset_types[rule.on].signals)
    named = getattr(rule.options, "signal", None)
    return [named] if isinstance(named, str) else []


def exception_lineage(reader: HistoryReader, row: Mapping[str, Any], definitions: DefinitionSteps) -> Lineage:
    """Return the lineage of a row of a table of exceptions."""
    rule = reader.model.rules[str(row["rule"])]
    stated = rule.model_dump(mode="json", exclude_defaults=True)
    definition = definitions.of_model(f"rules.{row['rule']}", write_line(stated), 0)
    who = str(row["asset"]) or str(row["event_id"])
    first = Step("exception", f"{row['title']}, {who}", str(row["text"]))
    subject = f"{row['rule']}, {who}, {span_text(row['since'], row['until'])} UTC"
    if row["event_id"]:
        return _of_event(
            reader, str(row["event_type"]), str(row["event_id"]), [first, definition], subject, definitions
        )
    series = str(row["asset_type"]), str(row["asset"])
    signals = signals_of_rule(rule, reader.model)
    return condition_lineage(
        reader,
        series,
        signals,
        (row["since"], row["until"], row.get("raised")),
        [first, definition],
        subject,
        definitions,
    )


def condition_lineage(  # noqa: PLR0917  (what, of whom, when)
    reader: HistoryReader,
    asset: tuple[str, str],
    signals: Sequence[str],
    span: tuple[object, object, object],
    steps: list[Step],
    subject: str,
    definitions: DefinitionSteps,
) -> Lineage:
    """Return the lineage of what was true of an asset: the values of each signal in a span, and their rows.

    Parameters
    ----------
    asset : (asset type, asset)
    span : (since, until, raised)
        Until isn't known of what isn't over; since isn't known of what began before the furthest look-back.
    steps : list of Step
        What is explained, and its definition.
    """
    out, tables = list(steps), []
    start, stop = _window(*span)
    for signal in signals:
        series = (*asset, signal)
        rows = rows_between(reader, series, start, stop)
        if not len(rows):
            rows = last_before(reader, series, start)
        place = len(out)
        out.append(_values_step(reader, series, start, stop))
        out.append(definitions.of_signal(asset[0], signal, place))
        out += row_steps(rows, series, definitions, first=len(out), explains=place)
        tables.append(rows.assign(signal=signal))
    rows = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return Lineage(subject, tuple(out), rows)


def _window(since: object, until: object, raised: object) -> tuple[np.datetime64, np.datetime64]:
    stop = until if not pd.isna(until) else raised  # type: ignore[call-overload]
    first = since if not pd.isna(since) else stop  # type: ignore[call-overload]
    last = stop if not pd.isna(stop) else first  # type: ignore[call-overload]
    start, end = (np.datetime64(instant_ns(one), "ns") for one in (first, last))
    if pd.isna(since):  # type: ignore[call-overload]
        start = start - _UNKNOWN
    return start, max(end, start + np.timedelta64(1, "ns"))


def _values_step(
    reader: HistoryReader, series: tuple[str, str, str], start: np.datetime64, stop: np.datetime64
) -> Step:
    asset_type, asset, signal = series
    spec = reader.model.asset_types[asset_type].signals[signal]
    cells = computed(reader.history(asset_type, signals=[signal], assets=[asset], start=start, stop=stop))
    values = cells[signal].to_numpy()[:, 0].astype(np.float64)
    values = values[~np.isnan(values)]
    if not values.size:
        return Step("value", f"{signal}: no value", span_text(start, stop), 0)
    if spec.states is not None:
        shown = ", ".join(dict.fromkeys(value_text(float(one), spec) for one in values))
    else:
        low, high = (value_text(float(one), spec) for one in (values.min(), values.max()))
        shown = low if low == high else f"{low} to {high}"
    return Step("value", f"{signal}: {shown}", count_text(values.size, "cell"), 0)


def _of_event(  # noqa: PLR0917
    reader: HistoryReader,
    event_type: str,
    event_id: str,
    steps: list[Step],
    subject: str,
    definitions: DefinitionSteps,
) -> Lineage:
    """Return the lineage of an exception of an event: the event's own, one step further."""
    event = event_lineage(reader, event_type, event_id, definitions)
    shift = len(steps)
    moved = [replace(one, explains=0 if one.explains is None else one.explains + shift) for one in event.steps]
    return Lineage(subject, (*steps, *moved), event.rows)
