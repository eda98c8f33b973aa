"""What is true somewhere in a span was said to be possible there, for every expression and all values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.events.finding.evaluation.block import Block, SignalCells
from twinlab.events.finding.evaluation.conditions import evaluate
from twinlab.events.finding.evaluation.truth import FALSE, TRUE
from twinlab.events.finding.scanning.pruning import Range, possible
from twinlab.events.finding.scanning.static import Static
from twinlab.model.expressions import bound

ROWS = 12
numbers = st.one_of(st.integers(-4, 4).map(float), st.floats(-10, 10))
a, b, limit = bound.Signal("a", "m"), bound.Signal("b", "m"), bound.Property("limit", "m")
values = st.recursive(
    st.one_of(st.sampled_from([a, b, limit]), numbers.map(lambda n: bound.Constant(n, "m"))),
    lambda inner: st.one_of(
        st.builds(bound.Arithmetic, st.sampled_from("+-*/"), inner, inner, st.just("m")),
        st.builds(bound.Scaled, inner, numbers, numbers, numbers, st.just("m")),
        st.builds(bound.Absolute, inner, st.just("m")),
        st.builds(
            bound.Window,
            st.sampled_from(["mean", "min", "max", "sum", "count"]),
            inner,
            st.integers(1, 6),
            st.just("m"),
        ),
        st.builds(bound.Change, inner, st.integers(1, 6), st.just("m"), st.booleans()),
        st.builds(bound.Rate, inner, st.one_of(st.none(), st.integers(1, 6)), st.just(1.0), st.just("m/s")),
    ),
    max_leaves=4,
)
conditions = st.recursive(
    st.builds(bound.Compare, st.sampled_from([">", ">=", "<", "<=", "==", "!="]), values, values),
    lambda inner: st.one_of(
        inner.map(bound.Not),
        st.lists(inner, min_size=1, max_size=3).map(tuple).map(bound.All),
        st.lists(inner, min_size=1, max_size=3).map(tuple).map(bound.Any),
        st.builds(bound.ForAtLeast, inner, st.integers(1, 6)),
        st.builds(bound.WithinAfter, inner, st.integers(1, 6), inner),
        st.builds(
            lambda operator, statistic, part, size, share: bound.Compare(
                operator, bound.Window(statistic, bound.Indicator(part), size, "1"), bound.Constant(share, "1")
            ),
            st.sampled_from([">", "<=", "=="]),
            st.sampled_from(["mean", "min", "max"]),
            inner,
            st.integers(1, 6),
            st.sampled_from([0.0, 0.5, 1.0]),
        ),
    ),
    max_leaves=4,
)
cells = st.lists(st.one_of(st.none(), numbers), min_size=ROWS, max_size=ROWS)


def signal(numbers: list[float | None]) -> SignalCells:
    value = np.array([np.nan if one is None else one for one in numbers])[:, None]
    good = ~np.isnan(value)
    return SignalCells(np.arange(ROWS), value, good, good, 3)


def extremes(numbers: list[float | None]) -> Range:
    there = [one for one in numbers if one is not None]
    return Range(np.array([[min(there, default=np.inf)]]), np.array([[max(there, default=-np.inf)]]))


@given(condition=conditions, first=cells, second=cells, third=st.one_of(st.none(), numbers))
def test_what_is_true_was_possible(condition, first, second, third):
    property_ = np.array([np.nan if third is None else third])
    block = Block(np.arange(ROWS), ("x",), {"a": signal(first), "b": signal(second)}, {"limit": property_})
    truth = evaluate(condition, block)
    found = possible(condition, {"a": extremes(first), "b": extremes(second)}, Static(block))
    assert found.true.shape == (1, 1)
    assert found.true[0, 0] or not (truth == TRUE).any()
    assert found.false[0, 0] or not (truth == FALSE).any()


ten, five = bound.Constant(10.0, "m"), bound.Constant(5.0, "m")


@pytest.mark.parametrize(
    ("condition", "true", "false"),
    [
        (bound.Compare(">", a, ten), False, True),
        (bound.Compare(">", a, bound.Constant(2.0, "m")), True, True),
        (bound.Compare(">=", a, bound.Constant(1.0, "m")), True, False),
        (bound.Compare("!=", a, ten), True, False),
        (bound.Compare("==", a, five), False, True),
        (bound.Compare("<", bound.Arithmetic("-", a, b, "m"), bound.Constant(-1.5, "m")), False, True),
        (bound.Compare(">", bound.Window("mean", a, 5, "m"), ten), False, True),
        (bound.Compare(">", bound.Window("mean", bound.Indicator(bound.Compare(">", a, ten)), 5, "1"), b), False, True),
        (bound.All((bound.Compare(">", b, five), bound.Compare("<", a, ten))), False, True),
        (bound.ForAtLeast(bound.Compare(">", a, ten), 5), False, True),
        (bound.Compare(">", bound.Absolute(bound.Arithmetic("*", a, bound.Constant(-1.0, ""), "m"), "m"), five), False, True),
    ],
)  # fmt: skip
def test_extremes_decide(condition, true, false):
    # The first signal is between 1 and 3, the second between 0 and 2.
    some = {"a": Range(np.array([[1.0]]), np.array([[3.0]])), "b": Range(np.array([[0.0]]), np.array([[2.0]]))}
    found = possible(condition, some, Static(Block(np.arange(1), ("x",), {})))
    assert (found.true[0, 0], found.false[0, 0]) == (true, false)
    # Without a value it is unknown.
    none = Range(np.array([[np.inf]]), np.array([[-np.inf]]))
    found = possible(condition, {"a": none, "b": none}, Static(Block(np.arange(1), ("x",), {})))
    assert not found.true[0, 0]
