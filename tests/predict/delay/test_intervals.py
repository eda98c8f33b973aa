"""Intervals of delays by stage and group: own margins, those of all groups, and groups that nothing can be said of."""

import numpy as np
import pytest

from twinlab.errors import SchemaError
from twinlab.predict.delay.estimators import LEVELS, choose, outer, regressors
from twinlab.predict.delay.intervals import Intervals, PastErrors
from twinlab.predict.protocol.estimator import CallableEstimator


def past(groups: dict[str, np.ndarray], *, stage: int = 0) -> PastErrors:
    """Errors of a model whose bounds are both 0: what is beyond them is the true value."""
    true = np.concatenate(list(groups.values()))
    group = np.concatenate([np.full(len(one), name) for name, one in groups.items()])
    issued = np.concatenate([np.arange(len(one)) for one in groups.values()]).astype("int64")
    return PastErrors(issued, np.full(len(true), stage), group, -true, true)


def margins(found: Intervals, group: str) -> tuple[float, float]:
    low, high = found.margins(np.array([0]), np.array([group]))
    return float(low[0]), float(high[0])


def test_a_group_with_enough_cases_has_its_own_margins_and_a_small_one_those_of_all():
    rng = np.random.default_rng(1)
    quiet, wild, small = rng.normal(0, 1, 400), rng.normal(0, 20, 400), rng.normal(0, 1, 30)
    found = Intervals.of(past({"quiet": quiet, "wild": wild, "small": small}), alpha=0.1, least_cases=100)
    assert found.refused == ()
    assert margins(found, "quiet")[1] == pytest.approx(1.64, abs=0.4)
    assert margins(found, "wild")[1] == pytest.approx(33, abs=6)
    # One that was never seen has those of all groups together, too.
    assert margins(found, "small") == margins(found, "unknown")
    assert margins(found, "quiet")[1] < margins(found, "small")[1] < margins(found, "wild")[1]


def test_a_group_that_drifted_and_a_small_one_that_was_mostly_outside_get_no_number():
    rng = np.random.default_rng(2)
    usual = rng.normal(0, 5, 2000)
    drifted = np.concatenate([rng.normal(0, 5, 100), rng.normal(60, 5, 100)])
    found = Intervals.of(
        past({"usual": usual, "drifted": drifted, "small": rng.normal(80, 5, 40)}), alpha=0.1, least_cases=100
    )
    reasons = found.reasons(np.zeros(4, int), np.array(["usual", "drifted", "small", "new"]))
    assert set(reasons) == {1, 2}
    assert "of drifted were inside their interval, and 90% should have been" in reasons[1]
    assert "0% of the last 40 events before the planned start of small" in reasons[2]


def test_a_stage_with_too_few_past_events_has_no_number():
    found = Intervals.of(past({"a": np.zeros(99)}), alpha=0.1, least_cases=100)
    assert found.reasons(np.array([0, 2]), np.array(["a", "a"])) == {
        0: "99 past events before the planned start were compared; at least 100 are needed",
        1: "0 past events under way were compared; at least 100 are needed",
    }
    assert np.isinf(found.margins(np.array([2]), np.array(["a"]))).all()
    with pytest.raises(SchemaError, match="expected past events to calibrate an interval, got none"):
        Intervals.of(past({"a": np.zeros(0)}), alpha=0.1, least_cases=1)


def test_old_errors_no_longer_count():
    both = past({"a": np.zeros(10)}).joined(past({"a": np.ones(5)}), since=4)
    assert len(both) == 6 + 1
    assert sorted(both.above.tolist()) == [0] * 6 + [1]


def test_the_model_is_chosen_on_new_cases_and_never_on_those_it_was_fitted_to():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(600, 1))
    y = 3 * x[:, 0] + rng.normal(0, 0.1, 600)
    old = np.arange(600) < 400
    levels = (0.05, 0.5, 0.95)

    def memory(x, y, _names):
        return dict(zip(x[:, 0], y, strict=True))

    def recall(known, x):
        return np.array([[known.get(one, 0.0)] * 3 for one in x[:, 0]])

    def slope(x, y, _names):
        return float(x[:, 0] @ y / (x[:, 0] @ x[:, 0]))

    # The first one knows its own cases by heart, and nothing else.
    candidates = [
        CallableEstimator("memory", memory, recall, levels),
        CallableEstimator("line", slope, lambda w, x: np.repeat(w * x, 3, axis=1), levels),
    ]
    found = choose(candidates, x, y, ["x"], old=old, new=~old)
    assert found.place == 1
    assert found.losses[1] < 0.1 < found.losses[0]
    assert choose(candidates[:1], x, y, ["x"], old=old, new=~old).losses == ()


def test_the_bounds_alone_are_those_of_the_whole_estimator(need):
    need("lightgbm")
    random = np.random.default_rng(0)
    x = random.normal(size=(3_000, 3))
    y = 10 * x[:, 0] + random.gumbel(size=3_000) * 5
    (whole,) = regressors()
    bounds = outer(whole)
    assert bounds.quantiles == (LEVELS[0], LEVELS[-1])
    every, two = (one.fit(x[:2_000], y[:2_000], ["a", "b", "c"]).predict(x[2_000:]) for one in (whole, bounds))
    # They differ only where a median of one size crosses a bound.
    assert (every[:, [0, -1]] == two).all(axis=1).mean() > 0.95
