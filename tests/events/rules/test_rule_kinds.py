"""Kinds of rules through a registry: one that a package adds, and what a kind must promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from twinlab.errors import SchemaError, TwinlabError, UnknownTermError
from twinlab.events import episodes, exception_rows, exceptions
from twinlab.events.rules.registry import RULE_KINDS
from twinlab.model import (
    AssetType,
    Options,
    Rule,
    RuleKind,
    TwinModel,
    TwinReader,
    dump_model,
    json_schema,
    parse_model,
)
from twinlab.testing import FakeTwin, check_rule

YAML = """
twin: x
asset_types:
  station:
    signals:
      temperature: {unit: degC, resolution: 0.1}
rules:
"""


class SwingOptions(Options):
    """Options of `swing_spans`."""

    signal: str
    within: float
    """Allowed difference of a day's highest and lowest value, in the signal's unit."""


def swing_spans(twin: TwinReader, name: str, rule: Rule, *, start_ns: int, stop_ns: int) -> pd.DataFrame:
    """Find days in which a signal swings further than allowed; a day counts from the first value that is too far."""
    options = rule.options
    assert isinstance(options, SwingOptions)
    day = 86400 * 10**9
    low = start_ns // day * day
    data = twin.history(
        rule.on, signals=[options.signal], start=np.datetime64(low, "ns"), stop=np.datetime64(stop_ns, "ns")
    )
    values = data[options.signal].transpose("time", "asset").to_pandas()
    days = values.index.floor("D")
    swing = values.groupby(days).cummax() - values.groupby(days).cummin()
    rows = []
    for asset in values.columns:
        for date, part in swing[asset].groupby(days):
            beyond = part.index[part > options.within]
            end = date + pd.Timedelta(days=1)
            if len(beyond):
                over = end.value < stop_ns
                rows.append((asset, beyond[0], end if over else pd.NaT, part.max()))
    table = pd.DataFrame(rows, columns=["asset", "since", "until", "value"])
    columns = {column: table[column].to_numpy() for column in table}
    return exception_rows({**columns, "limit": options.within, "text": "swings"}, name=name, rule=rule)


def swing_faults(options: SwingOptions, spec: AssetType) -> list[str]:
    """Return what doesn't fit an asset type."""
    return [] if options.signal in spec.signals else [f"there is no signal {options.signal!r}"]


SWING = RuleKind("swing", swing_spans, SwingOptions, faults=swing_faults)
RULE = {"on": "station", "swing": {"signal": "temperature", "within": 8}, "severity": "high"}


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> FakeTwin:
    _add(monkeypatch, SWING)
    return FakeTwin.example(days=4, trips=200)


def _add(monkeypatch: pytest.MonkeyPatch, kind: RuleKind) -> None:
    monkeypatch.setattr(RULE_KINDS, "_added", {kind.name: None})
    monkeypatch.setitem(RULE_KINDS._loaded, kind.name, kind)


def test_built_in_kinds_conform() -> None:
    twin = FakeTwin.example(days=6, trips=300)
    check_rule({"on": "cold_room", "when": "temperature > 5 degC and door == open", "lasting": "5min"}, twin=twin)
    check_rule({"on": "station", "silent": "20min"}, twin=twin)
    for at in ("start", "end"):
        check_rule({"on": "trip", "late": "10min", "at": at}, twin=twin)


def test_an_added_kind_is_read_written_and_finds_exceptions(twin: FakeTwin) -> None:
    check_rule(RULE, twin=twin)
    read = parse_model(YAML + "  wild: {on: station, swing: {signal: temperature, within: 8}}\n")
    assert (read.rules["wild"].kind, read.rules["wild"].options) == (
        "swing",
        SwingOptions(signal="temperature", within=8),
    )
    assert parse_model(dump_model(read)) == read
    assert TwinModel.model_validate_json(read.model_dump_json(by_alias=True)) == read
    rule = Rule.model_validate(RULE)
    first, last = twin.history("station").time.values[[0, -1]]
    found = episodes(twin, {"wild": rule}, start=first, stop=last)
    assert set(found["severity"]) == {"high"}
    at = found["since"].iloc[0] + pd.Timedelta(minutes=1)
    assert found["key"].iloc[0] in set(exceptions(twin, at=at, rules={"wild": rule})["key"])


@pytest.mark.usefixtures("twin")
@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            "{on: station, swng: {signal: temperature, within: 8}}",
            r"x.yaml:8: rules.odd.swng: unknown key 'swng'; did you mean 'swing'",
        ),
        (
            "{on: station, swing: {signal: temperature, witin: 8}}",
            r"x.yaml:8: rules.odd.swing.witin: .*no option 'witin'; did you mean 'within'",
        ),
        ("{on: station, swing: {signal: temperature}}", "needs the option 'within'"),
        (
            "{on: station, swing: {signal: temprature, within: 8}}",
            r"x.yaml:8: rules.odd: there is no signal 'temprature'",
        ),
        ("{on: staton, swing: {signal: temperature, within: 8}}", "no asset type 'staton'; did you mean 'station'"),
        (
            "{on: station, swing: {signal: temperature, within: 8}, silent: 1h}",
            "exactly one of when, silent, late, flagged or swing, got silent and swing",
        ),
        ("{on: station}", "exactly one of when, silent, late, flagged or swing, got none"),
    ],
)
def test_a_wrong_rule_of_an_added_kind_is_told_with_its_line(rule: str, message: str) -> None:
    with pytest.raises(TwinlabError, match=message):
        parse_model(f"{YAML}  odd: {rule}\n", "x.yaml")


def test_an_unknown_key_is_still_refused() -> None:
    with pytest.raises(SchemaError, match=r"unknown key 'severty'; did you mean 'severity'"):
        parse_model(YAML + "  odd: {on: station, silent: 1h, severty: high}\n")


@pytest.mark.usefixtures("twin")
def test_editors_know_added_kinds() -> None:
    schema = json_schema("model")["$defs"]["Rule"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["swing"]["required"] == ["signal", "within"]


def _later(twin: TwinReader, name: str, rule: Rule, *, start_ns: int, stop_ns: int) -> pd.DataFrame:
    return swing_spans(twin, name, rule, start_ns=start_ns, stop_ns=stop_ns + 86400 * 10**9)


def _blind(twin: TwinReader, name: str, rule: Rule, *, start_ns: int, stop_ns: int) -> pd.DataFrame:
    """Look at the window alone: what began before it seems to begin later."""
    options = rule.options
    assert isinstance(options, SwingOptions)
    data = twin.history(
        rule.on, signals=[options.signal], start=np.datetime64(start_ns, "ns"), stop=np.datetime64(stop_ns, "ns")
    )
    table = data[options.signal].transpose("time", "asset").to_pandas()
    ids = [asset for asset in table.columns if table[asset].notna().any()]
    since = [table[asset].first_valid_index().to_datetime64() for asset in ids]
    return exception_rows({"asset": ids, "since": since}, name=name, rule=rule)


def _columns(twin: TwinReader, name: str, rule: Rule, *, start_ns: int, stop_ns: int) -> pd.DataFrame:
    return swing_spans(twin, name, rule, start_ns=start_ns, stop_ns=stop_ns).drop(columns="unit")


def _keys(twin: TwinReader, name: str, rule: Rule, *, start_ns: int, stop_ns: int) -> pd.DataFrame:
    found = swing_spans(twin, name, rule, start_ns=start_ns, stop_ns=stop_ns)
    return found.assign(key=[f"{name}/{k}" for k in range(len(found))])


@pytest.mark.parametrize(
    ("find", "message"),
    [
        (_later, "after the"),
        (_blind, "a part of the window"),
        (_columns, "expected the columns"),
        (_keys, "a key must be"),
    ],
)
def test_a_kind_that_breaks_its_promise_is_told_how(
    twin: FakeTwin, monkeypatch: pytest.MonkeyPatch, find: object, message: str
) -> None:
    _add(monkeypatch, replace(SWING, find=find))
    with pytest.raises(AssertionError, match=message):
        check_rule(RULE, twin=twin)


def test_a_rule_without_exceptions_checks_nothing(twin: FakeTwin) -> None:
    quiet = {"on": "station", "swing": {"signal": "temperature", "within": 1e6}}
    with pytest.raises(AssertionError, match="found nothing"):
        check_rule(quiet, twin=twin)
    check_rule(quiet, twin=twin, expected=0)


def test_a_table_of_other_columns_is_refused(twin: FakeTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    _add(monkeypatch, replace(SWING, find=_columns))
    with pytest.raises(SchemaError, match="'swing' returned the columns"):
        exceptions(twin, at="2026-01-02", rules={"wild": Rule.model_validate(RULE)})


def test_a_name_that_is_a_key_of_every_rule_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint

    entry = EntryPoint("severity", f"{__name__}:SWING", "twinlab.rules")
    monkeypatch.setattr(EntryPoint, "load", lambda self: SWING)
    monkeypatch.setattr(RULE_KINDS, "_added", {"severity": entry})
    with pytest.raises(SchemaError, match="isn't a key of every rule"):
        RULE_KINDS.get("severity")
    with pytest.raises(UnknownTermError, match="did you mean 'late'"):
        RULE_KINDS.get("lat")
