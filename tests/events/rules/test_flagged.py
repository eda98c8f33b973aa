"""Rules with ``flagged``: what the quality tests find wrong is an exception itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import TwinlabError
from twinlab.events import episodes, exceptions
from twinlab.model import TwinModel, dump_model, json_schema, parse_model
from twinlab.testing import FakeTwin, check_rule

START, HOUR = np.datetime64("2026-01-01", "ns"), np.timedelta64(1, "h")
ROWS = 24
RULES = {
    "wrong": {"on": "mast", "flagged": {"signal": "wind"}, "severity": "high"},
    "odd": {"on": "mast", "flagged": {"signal": "wind", "flag": "suspect"}},
    "broken": {"on": "mast", "flagged": {"signal": "wind", "lasting": "3h"}},
}
MODEL = {
    "twin": "t",
    "origin": "2026-01-01",
    "asset_types": {
        "mast": {"signals": {"wind": {"title": "Wind", "unit": "m/s", "resolution": 0.1, "cadence": "1h"}}}
    },
    "rules": RULES,
}
OK, SUSPECT, FAIL, MISSING = 1, 3, 4, 9


def masts(*flags):
    """A twin of masts with an hourly flag each; a value is ten times its row."""
    table = np.full((ROWS, len(flags)), MISSING, dtype="uint8")
    for column, own in enumerate(flags):
        table[: len(own), column] = own
    values = np.where(table == MISSING, np.nan, 10.0 * np.arange(ROWS)[:, None])
    coords = {
        "time": START + np.arange(ROWS) * HOUR,
        "asset": np.array([f"M{k}" for k in range(len(flags))], dtype=object),
    }
    data = xr.Dataset({"wind": (("time", "asset"), values), "wind_qc": (("time", "asset"), table)}, coords)
    index = pd.Index(coords["asset"], name="asset")
    return FakeTwin(
        TwinModel.model_validate(MODEL), histories={"mast": data}, assets={"mast": pd.DataFrame(index=index)}
    )


def spans(twin, rule, stop=ROWS):
    found = episodes(twin, rule, start=START, stop=START + stop * HOUR)
    hours = [((found[name] - pd.Timestamp(START)) / pd.Timedelta("1h")).tolist() for name in ("since", "until")]
    return list(zip(found["asset"], *hours, strict=True))


def test_a_value_that_fails_is_an_exception_until_the_next_observation():
    twin = masts([OK, FAIL, OK, SUSPECT, FAIL, FAIL, OK])
    assert spans(twin, "wrong") == [("M0", 1, 2), ("M0", 4, 6)]
    found = exceptions(twin, at=START + 5 * HOUR + np.timedelta64(30, "m"), rules=["wrong"])
    assert found.loc[0, ["value", "unit", "severity"]].tolist() == [50.0, "m/s", "high"]
    assert found.loc[0, "text"] == "Wind 50 m/s: failed its quality tests for 1 h 30 min"
    assert len(exceptions(twin, at=START + 6 * HOUR, rules=["wrong"])) == 0


def test_suspect_reports_what_fails_too_and_lasting_only_what_stays_wrong():
    twin = masts([OK, FAIL, OK, SUSPECT, FAIL, FAIL, FAIL, FAIL, OK])
    assert spans(twin, "odd") == [("M0", 1, 2), ("M0", 3, 8)]
    assert spans(twin, "broken") == [("M0", 4, 8)]


def test_a_wrong_value_without_a_later_one_counts_as_long_as_an_observation_is_valid():
    # Of a signal with a cell an hour: three cells.
    assert spans(masts([OK, FAIL]), "wrong") == [("M0", 1, 4)]
    assert spans(masts([OK, FAIL, MISSING, FAIL, MISSING, OK]), "wrong") == [("M0", 1, 5)]


def test_a_sensor_that_has_been_wrong_for_long_has_the_beginning_of_its_span():
    twin = masts([OK, *[FAIL] * 23])
    found = exceptions(twin, at=START + 23 * HOUR, rules=["wrong"])
    assert found["since"].tolist() == [pd.Timestamp(START + HOUR)]


@pytest.mark.parametrize(("rule", "count"), [("wrong", 3), ("odd", 4), ("broken", 1)])
def test_the_kind_conforms(rule, count):
    twin = masts([OK, FAIL, OK, SUSPECT, OK, FAIL, FAIL, FAIL, FAIL, OK], [OK] * 20 + [FAIL, OK])
    check_rule(RULES[rule], twin=twin, start=START, stop=START + ROWS * HOUR, expected=count)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([OK, SUSPECT, FAIL, MISSING]), max_size=ROWS), min_size=1, max_size=3),
    st.integers(0, ROWS - 1),
)
def test_the_newest_valid_observation_decides(flags, row):
    found = exceptions(masts(*flags), at=START + row * HOUR, rules=["wrong", "odd"])
    expected = set()
    for column, own in enumerate(flags):
        newest = [flag for flag in own[max(0, row - 2) : row + 1] if flag != MISSING]
        if newest and newest[-1] == FAIL:
            expected.add(("wrong", f"M{column}"))
        if newest and newest[-1] in (SUSPECT, FAIL):
            expected.add(("odd", f"M{column}"))
    assert set(zip(found["rule"], found["asset"], strict=True)) == expected


YAML = """twin: t
asset_types: {mast: {signals: {wind: {unit: m/s, resolution: 0.1}}}}
rules:
  wrong: {on: mast, flagged: """


def test_a_rule_is_read_written_and_offered_by_editors():
    read = parse_model(YAML + "{signal: wind, flag: suspect, lasting: 10min}}\n")
    assert parse_model(dump_model(read)) == read
    assert TwinModel.model_validate_json(read.model_dump_json(by_alias=True)) == read
    assert json_schema("model")["$defs"]["Rule"]["properties"]["flagged"]["required"] == ["signal"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{signal: wnd}}", r"x.yaml:4: rules.wrong: there is no signal 'wnd'; did you mean 'wind'"),
        (
            "{signal: wind, flag: failed}}",
            r"x.yaml:4: rules.wrong.flagged.flag: .*expected one of fail, suspect, got 'failed'",
        ),
        ("{flag: fail}}", "needs the option 'signal'"),
        ("fail}", r"x.yaml:4: rules.wrong.flagged"),
        ("{signal: wind}, lasting: 1h}", "`lasting` belongs to `when`"),
        ("{signal: wind}, silent: 1h}", "exactly one of when, silent, late or flagged, got silent and flagged"),
    ],
)
def test_a_wrong_rule_is_reported_with_its_line(options, message):
    with pytest.raises(TwinlabError, match=message):
        parse_model(YAML + options + "\n", "x.yaml")
