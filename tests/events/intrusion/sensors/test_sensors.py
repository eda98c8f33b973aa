"""False values of valid sensors: what repeats, stays or contradicts is found, what happens in the asset isn't."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from twinlab.errors import UnknownTermError
from twinlab.events.intrusion.sensors.deviations import Windows, deviations
from twinlab.events.intrusion.sensors.models import expect, peers_median, rolling_mean
from twinlab.events.intrusion.sensors.repeats import repeated, runs_before
from twinlab.events.intrusion.sensors.rule import false_values
from twinlab.model.intrusion.section import SecurityRule
from twinlab.testing import FakeTwin

Floats = NDArray[np.float64]
WINDOWS = Windows(change=12, level=36, repeat=16)
USUAL, ROWS = 1_000, 1_400


def rooms(seed: int, assets: int = 5) -> tuple[Floats, Floats]:
    """Return temperatures that doors and compressors move, and those states."""
    random = np.random.default_rng(seed)
    door = (random.random((ROWS, assets)) < 0.1).astype(float)
    compressor = np.zeros((ROWS, assets))
    values = np.full((ROWS, assets), 4.0)
    for row in range(1, ROWS):
        compressor[row] = np.where(
            values[row - 1] > 4.5, 1.0, np.where(values[row - 1] < 3.5, 0.0, compressor[row - 1])
        )
        values[row] = values[row - 1] + 0.12 + 0.4 * door[row] - 0.3 * compressor[row] + random.normal(0, 0.03, assets)
    return values.round(2), np.stack([door, compressor], axis=2)


def kinds(values: Floats, others: Floats, asset: int = 2) -> set[str]:
    found = deviations(values, others, usual=USUAL, windows=WINDOWS, factor=1.8)
    assert {one.asset for one in found} <= {asset}, found
    return {one.kind for one in found}


def test_true_values_are_no_finding() -> None:
    for seed in range(5):
        assert kinds(*rooms(seed)) == set()


def test_values_of_the_day_before_shown_again_are_found() -> None:
    values, others = rooms(1)
    values[1_100:1_150, 2] = values[800:850, 2]
    assert "repeats earlier values" in kinds(values, others)


def test_values_of_another_sensor_are_found() -> None:
    values, others = rooms(2)
    values[1_100:1_150, 2] = values[1_090:1_140, 0]
    assert "repeats earlier values" in kinds(values, others)


def test_a_value_that_stays_is_found() -> None:
    values, others = rooms(3)
    values[1_100:1_150, 2] = values[1_100, 2]
    assert "stays" in kinds(values, others)


def test_a_slow_lie_is_found_by_level_and_a_made_up_one_by_physics() -> None:
    values, others = rooms(4)
    values[1_100:, 2] += 0.01 * np.arange(ROWS - 1_100)
    assert "level against physics and peers" in kinds(values, others)
    values, others = rooms(4)
    values[1_100:1_200, 2] = (4.0 + np.random.default_rng(0).normal(0, 0.4, 100)).round(2)
    assert "changes against physics" in kinds(values, others)


def slow_repeated(values: Floats, window: int) -> NDArray[np.bool_]:
    out = np.zeros(values.shape, dtype=bool)
    rows, assets = values.shape
    first: dict[tuple[float, ...], tuple[int, int]] = {}
    for start in range(rows - window + 1):
        for asset in range(assets):
            part = tuple(values[start : start + window, asset].tolist())
            if np.isnan(part).any() or len(set(part)) < 8:
                continue
            before = first.setdefault(part, (start, asset))
            if start > before[0] and (asset != before[1] or start - before[0] >= window):
                out[start : start + window, asset] = True
    return out


@given(st.data())
def test_repeats_are_those_of_a_comparison_of_all_windows(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 60))
    random = np.random.default_rng(data.draw(st.integers(0, 1_000)))
    values = random.integers(0, 30, (rows, 2)).astype(float)
    values[random.random(values.shape) < 0.02] = np.nan
    if rows > 30:
        length = data.draw(st.integers(1, 20))
        at = data.draw(st.integers(0, rows - length))
        values[at : at + length, 1] = values[:length, 0]
    np.testing.assert_array_equal(repeated(values, window=10), slow_repeated(values, 10))


@given(st.lists(st.sampled_from([1.0, 2.0, float("nan")]), max_size=30))
def test_runs_are_counted_one_by_one(line: list[float]) -> None:
    expected, before = [], float("nan")
    for value in line:
        expected.append(0 if np.isnan(value) else expected[-1] + 1 if value == before else 1)
        before = value
    assert runs_before(np.array(line).reshape(-1, 1))[:, 0].tolist() == expected


def test_models_are_those_of_numpy() -> None:
    random = np.random.default_rng(0)
    features = np.concatenate([np.ones((200, 2, 1)), random.normal(size=(200, 2, 2))], axis=2)
    values = features @ np.array([1.0, 2.0, -3.0]) + random.normal(0, 0.01, (200, 2))
    np.testing.assert_allclose(expect(values, features).coefficients, [[1.0, 2.0, -3.0]] * 2, atol=0.01)
    assert np.isnan(peers_median(values[:, :2])).all()
    np.testing.assert_allclose(rolling_mean(values, 5)[10], values[6:11].mean(axis=0))


def test_the_rule_reads_a_twin_and_names_an_unknown_sensor() -> None:
    twin = FakeTwin.example(days=9, trips=1)
    start = int(np.datetime64(twin.history("station").time.values[0], "ns").astype(np.int64)) + 8 * 86_400 * 10**9
    settings = SecurityRule(sensors=("station.temperature",))
    assert isinstance(false_values(twin, start, start + 86_400 * 10**9, settings), list)
    with pytest.raises(UnknownTermError, match=r"did you mean 'station.temperature'"):
        false_values(twin, start, start + 1, SecurityRule(sensors=("station.temperatur",)))
