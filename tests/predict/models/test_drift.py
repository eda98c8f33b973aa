"""Drift of inputs: found where it is planted, and as seldom as stated where there is none."""

import numpy as np
import pytest

from twinlab.errors import SchemaError
from twinlab.predict.models.drift import LARGE_SHIFT, Reference, distance_between, drift_table, population_stability

HOUR, DAY = 3600 * 10**9, 24
NAMES = ("a", "b", "c")


def hours(days, seed, *, memory=0.9):
    """Three inputs with a daily course, whose hours are alike."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(days * DAY, 3)) * np.sqrt(1 - memory**2)
    values = np.zeros_like(noise)
    for row in range(1, len(values)):
        values[row] = memory * values[row - 1] + noise[row]
    return values + np.sin(np.arange(len(values)) * np.pi / 12)[:, None]


def reference_of(values):
    return Reference.of(NAMES, np.arange(len(values)) * HOUR, values)


def test_models_without_a_drift_are_reported_as_seldom_as_stated_and_planted_drifts_are_found():
    alarms, found, trials = 0, 0, 60
    for seed in range(trials):
        values = hours(61, seed)
        reference = reference_of(values[: 60 * DAY])
        assert reference.false_alarms == 1 / 61
        newest = values[60 * DAY :]
        alarms += bool(drift_table(reference, newest)["drifted"].any())
        shifted = newest + [0.0, 4.0, 0.0]
        table = drift_table(reference, shifted)
        found += table[table["drifted"]]["input"].tolist() == ["b"]
    # One of 61 is expected; more than 4 of 60 would come once in 300 runs.
    assert alarms <= 4
    assert found >= 0.85 * trials


def test_a_threshold_for_independent_values_would_report_most_days():
    reports = 0
    for seed in range(20):
        values = hours(61, seed)
        reports += population_stability(values[: 60 * DAY, 0], values[60 * DAY :, 0]) >= LARGE_SHIFT
    assert reports > 10


def test_an_input_that_is_missing_or_another_constant_has_drifted():
    values = hours(60, 1)
    values[:, 2] = 5.0
    reference = reference_of(values)
    gone = hours(1, 2)
    gone[:, 0], gone[:, 2] = np.nan, 5.0
    table = drift_table(reference, gone).set_index("input")
    assert table.loc["a", "drifted"]
    assert table.loc["a", "missing"] == 1.0
    assert not table.loc["c", "drifted"]
    gone[:, 2] = 6.0
    assert drift_table(reference, gone).set_index("input").loc["c", "drifted"]


def test_an_input_that_always_was_missing_is_no_drift():
    values = hours(60, 1)
    values[:, 1] = np.nan
    newest = hours(1, 2)
    newest[:, 1] = np.nan
    assert not drift_table(reference_of(values), newest).set_index("input").loc["b", "drifted"]


def test_spans_are_whole_days_so_that_all_have_all_hours():
    assert reference_of(hours(60, 0)).span == DAY * HOUR
    long = reference_of(hours(201, 0))
    assert long.span == 5 * DAY * HOUR
    assert len(long.distances) == 40
    assert reference_of(hours(21, 0)).false_alarms == 1 / 22


def test_too_short_a_training_is_refused_with_what_is_needed():
    with pytest.raises(SchemaError, match="inputs of 9.96 days of training are known; at least 20 days are needed"):
        reference_of(hours(10, 0))
    with pytest.raises(SchemaError, match="inputs of 0 days"):
        Reference.of(NAMES, np.empty(0, "int64"), np.empty((0, 3)))


def test_the_index_of_equal_samples_is_0_and_classes_that_are_empty_have_a_finite_one():
    values = np.random.default_rng(0).normal(size=1000)
    assert population_stability(values, values) == pytest.approx(0.0)
    assert np.isfinite(population_stability(values, values + 100))
    # Two halves that trade places: the textbook's sum of (q - p) ln(q / p).
    before, after = np.repeat([0.0, 1.0], [80, 20]), np.repeat([0.0, 1.0], [20, 80])
    assert population_stability(before, after) == pytest.approx(2 * 0.6 * np.log(4))
    assert distance_between(values, values + 2) == pytest.approx(2.0)
    assert distance_between(np.array([np.nan]), values) == float("inf")
