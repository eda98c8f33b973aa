"""Failures: what is learnt, what a table has, and when there is no number."""

import re

import numpy as np
import pandas as pd
import pytest

from tests.predict.failure.conftest import DAY, PREDICTOR, SETTINGS, START, failures_of, history_of, state_at
from twinlab.errors import SchemaError
from twinlab.predict.models.format import from_arrays, to_arrays
from twinlab.predict.predictions.schema import reasons
from twinlab.testing import check_predictor


def test_pumps_that_will_fail_have_the_highest_risk_and_short_lives(fitted):
    found = fitted.table(state_at(60), within="5d").set_index("asset")
    coming = failures_of()
    ahead = (coming["start"] - pd.Timestamp(START + 60 * DAY)) / pd.Timedelta(days=1)
    soon = set(coming["asset"][(ahead > 0) & (ahead < 3)])
    assert soon
    assert found.loc[sorted(soon), "probability"].min() > 0.5
    assert found.drop(index=sorted(soon))["probability"].median() < 0.2
    life = found.loc[sorted(soon)]
    assert (life["life_low"] <= life["life_expected"]).all()
    assert (life["life_expected"] < 4).all()
    assert life["drivers"].str.contains("vibration").all()
    assert life["nearest_case"].str.contains("failed").all()


def test_the_risk_at_each_day_is_what_was_known_then(fitted):
    found = fitted.over_time(state_at(60), within="5d")
    then = fitted.table(state_at(57), within="5d").set_index("asset")["probability"]
    at = found.sel(issue_time=START + 57 * DAY)
    np.testing.assert_allclose(at.values, then.loc[found["asset"].values], rtol=1e-12)


def test_probabilities_follow_what_came_of_earlier_ones(fitted):
    # After the fit no pump fails any more, whatever its vibration.
    failures = failures_of()
    history, ended = history_of(failures), failures[failures["start"] < pd.Timestamp(START + 50 * DAY)]
    before, after = fitted, [fitted]
    for day in range(50, 63):
        after.append(after[-1].update(state_at(day, history, ended)))
    state = state_at(62, history, ended)
    first, last = (one.table(state, within="2d").set_index("asset")["probability"] for one in (before, after[-1]))
    assert last.max() < 0.7 * first.max()
    assert last.rank().equals(first.loc[last.index].rank())
    assert after[-1].content_hash() != fitted.content_hash()
    # Four days after the fit, the first span of three and a half days is over.
    assert [one.model.scale == fitted.model.scale for one in after[:6]] == [True] * 6
    followed = fitted.over_time(state, within="2d", updated=True)
    for day, one in zip(range(50, 63), after[1:], strict=True):
        then = one.over_time(state_at(day, history, ended), within="2d")[-1]
        np.testing.assert_allclose(followed.sel(issue_time=then["issue_time"]), then, rtol=1e-9)
    again = from_arrays(*to_arrays(after[-1])).update(state_at(63, history, ended))
    assert again.content_hash() == after[-1].update(state_at(63, history, ended)).content_hash()


def test_predictions_are_in_the_schema_and_rise_with_the_span(fitted):
    found = fitted.predict(state_at(60))
    assert found["pump_failure"].dims == ("issue_time", "lead_time", "asset")
    assert (found["pump_failure"].diff("lead_time") >= 0).all()
    life = fitted.life(state_at(60))
    assert life["remaining_life"].attrs["units"] == "d"


def test_it_is_a_predictor_as_twinlab_relies_on_it(need):
    need("lightgbm")
    check_predictor(PREDICTOR, state_at(50))


def test_a_pump_that_has_failed_gets_no_number(fitted):
    first = failures_of()["start"].iloc[0]
    day = (np.datetime64(first, "ns") - START) / DAY + 0.25
    found = fitted.table(state_at(np.ceil(day * 24) / 24), within="2d").set_index("asset")
    assert found.loc["P0", "cant_tell"].startswith("it has failed on 2026-01-10")
    assert np.isnan(found.loc["P0", "probability"])


def test_values_that_nothing_can_be_said_of_get_a_reason(fitted):
    data = history_of(failures_of())
    values = data["vibration"].values
    values[:, 1] = np.nan
    data["noise"].values[:, 1] = np.nan
    values[24 * 55 :, 2] = np.nan
    data["noise"].values[24 * 55 :, 2] = np.nan
    values[:, 3] = 3.5
    data["noise"].values[:, 3] = 60.0
    values[24 * 40 :, 4] *= 25.4
    found = fitted.table(state_at(60, data), within="2d").set_index("asset")["cant_tell"]
    assert "no value of vibration" in found["P1"]
    assert "in the last 3 rows" in found["P2"]
    assert "constant" in found["P3"]
    assert "has its unit or its sensor changed" in found["P4"]
    assert (found.drop(index=["P1", "P2", "P3", "P4"]) == "").all()


def test_another_unit_than_at_the_fit_is_refused_with_the_reason(fitted):
    data = history_of(failures_of())
    data["vibration"].attrs["units"] = "inch/s"
    found = reasons(fitted.predict(state_at(60, data)))
    assert (found == "units have changed since the fit: vibration was in mm/s and is in inch/s; fit it again").all()


def test_a_span_beyond_what_was_learnt_is_refused(fitted):
    found = fitted.table(state_at(60), within="30d")
    assert found["cant_tell"].str.contains("learnt for up to 7d, not for 30d").all()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("few", "4 past failures (pump_failure); at least 5 are needed"),
        ("one", "all past failures (pump_failure) are of P0"),
        ("alone", "1 asset of 'pump'"),
        ("short", "6 rows of 1d of history; at least 10 are needed"),
        ("constant", "vibration, noise didn't change"),
        ("missing", "no value of vibration, noise"),
    ],
)
def test_too_little_to_learn_from_is_an_error_with_the_reason(change, reason):
    failures, day = failures_of(), 50.0
    data = history_of(failures)
    if change == "few":
        failures = failures.head(4)
    elif change == "one":
        failures = failures.assign(asset="P0")
    elif change == "alone":
        data = data.isel(asset=[0])
    elif change == "short":
        day, failures = (
            6.0,
            failures.assign(start=failures["start"] - pd.Timedelta(days=9), end=failures["end"] - pd.Timedelta(days=9)),
        )
    else:
        for one in data.data_vars.values():
            one.values[:] = 1.0 if change == "constant" else np.nan
    state = state_at(day, data, failures)
    assert reason in PREDICTOR.refusal(state)
    with pytest.raises(SchemaError, match="can't fit the failures of 'pump'"):
        PREDICTOR.fit(state)


def test_settings_that_do_not_fit_each_other_are_refused():
    from dataclasses import replace

    for wrong in ({"indicators": ()}, {"spans": (3, 1)}, {"every": "90min"}, {"longest": "1h"}, {"usual_rows": 1}):
        with pytest.raises(SchemaError, match="expected"):
            replace(SETTINGS, **wrong)


def test_a_fitted_predictor_that_was_written_and_read_gives_the_same_bits(fitted):
    again = from_arrays(*to_arrays(fitted))
    assert again.content_hash() == fitted.content_hash()
    assert again.predict(state_at(60)).identical(fitted.predict(state_at(60)))
    pd.testing.assert_frame_equal(again.table(state_at(60), within="2d"), fitted.table(state_at(60), within="2d"))


def test_trees_of_a_file_that_lead_outside_of_themselves_are_refused(fitted):
    arrays, content = to_arrays(fitted)
    name = next(one for one in arrays if one.startswith("model.risk") and one.endswith(".txt"))
    text = arrays[name].tobytes().decode()
    broken = re.sub(r"^left_child=\S+", "left_child=9999", text, count=1, flags=re.MULTILINE)
    with pytest.raises(SchemaError, match="isn't a tree"):
        from_arrays({**arrays, name: np.frombuffer(broken.encode(), arrays[name].dtype)}, content)
