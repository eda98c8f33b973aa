"""A condition on cells, compared with a plain loop over cells; and what is valid for how long."""

import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.events.finding.evaluation.block import Block, SignalCells
from twinlab.events.finding.evaluation.conditions import evaluate, value
from twinlab.events.finding.evaluation.reach import look_back_ns
from twinlab.events.finding.evaluation.truth import FALSE, TRUE, UNKNOWN
from twinlab.events.finding.evaluation.windows import windowed
from twinlab.model.expressions import bound
from twinlab.model.expressions.bound import (
    Absolute,
    All,
    Any,
    Arithmetic,
    Change,
    Compare,
    Constant,
    ForAtLeast,
    Indicator,
    Not,
    Property,
    Rate,
    Scaled,
    Signal,
    TextEquals,
    Truth,
    Window,
    WithinAfter,
)

STEP = 60 * 10**9
VALID = {"x": 3 * STEP, "y": 6 * STEP, "s": None}
COMPARE = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
X, Y, S, LIMIT = Signal("x", "1"), Signal("y", "1"), Signal("s", "1"), Property("limit", "1")


def block(x, y, s, *, start=1000, limit=2.0, end=None):
    """One asset: ``x`` each minute, ``y`` every other minute, ``s`` a state; None is no observation."""

    def cells(values, every, valid):
        numbers = np.array([[np.nan if one is None else float(one)] for one in values])
        seen = ~np.isnan(numbers)
        if valid is None:
            filled = np.full_like(numbers, np.nan)
            for k in range(len(numbers)):
                filled[k] = numbers[k] if seen[k, 0] else filled[k - 1] if k else np.nan
            return SignalCells(
                start * STEP + np.arange(len(values)) * STEP * every, filled, ~np.isnan(filled), seen, None
            )
        return SignalCells(start * STEP + np.arange(len(values)) * STEP * every, numbers, seen, seen, valid)

    signals = {"x": cells(x, 1, VALID["x"]), "y": cells(y, 2, VALID["y"]), "s": cells(s, 1, None)}
    return Block(
        start * STEP + np.arange(len(x)) * STEP,
        ("a",),
        signals,
        numbers={"limit": np.array([limit])},
        texts={"name": np.array(["A 7"], dtype=object), "gone": np.array([None], dtype=object)},
        end_ns=None if end is None else np.array([start * STEP + end * STEP]),
    )


class Plain:
    """The same by a loop over cells, straight from the definitions."""

    def __init__(self, x, y, s, *, start=1000, limit=2.0):
        self.series = {"x": (x, 1), "y": (y, 2), "s": (s, 1)}
        self.rows, self.limit = len(x), limit

    def own(self, name, k):
        values, every = self.series[name]
        return None if k % every or k // every >= len(values) else values[k // every]

    def held(self, name, k):
        most = VALID[name]
        for j in range(k, -1, -1):
            if most is not None and (k - j) * STEP >= most:
                return None
            if self.own(name, j) is not None:
                return self.own(name, j)
        return None

    def value(self, node, k, own=False):  # noqa: C901, PLR0911, PLR0912  (one for each kind of node)
        match node:
            case Signal():
                return (self.own if own else self.held)(node.name, k)
            case Constant():
                return node.value
            case Indicator():
                return {TRUE: 1.0, FALSE: 0.0, UNKNOWN: None}[self.truth(node.condition, k)]
            case Property():
                return None if np.isnan(self.limit) else self.limit
            case Scaled():
                inner = self.value(node.value, k, own)
                return None if inner is None else (inner + node.pre) * node.factor + node.offset
            case Absolute():
                inner = self.value(node.value, k, own)
                return None if inner is None else abs(inner)
            case Arithmetic():
                left, right = self.value(node.left, k, own), self.value(node.right, k, own)
                if left is None or right is None or (node.operator == "/" and right == 0):
                    return None
                return {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}[node.operator](
                    left, right
                )
            case Window():
                first = max(0, k - -(-node.duration_ns // STEP) + 1)
                some = [
                    self.value(node.value, j, own=True)
                    for j in range(first, k + 1)
                    if (k - j) * STEP < node.duration_ns
                ]
                some = [one for one in some if one is not None]
                if node.statistic == "count":
                    return len(some)
                if not some:
                    return None
                return {"mean": lambda v: sum(v) / len(v), "sum": sum, "min": min, "max": max}[node.statistic](some)
            case Change() | Rate() if node.duration_ns is not None:
                j = k - -(-node.duration_ns // STEP)
                now, then = self.value(node.value, k), self.value(node.value, j) if j >= 0 else None
                if now is None or then is None:
                    return None
                return (now - then) / (node.duration_ns / 1e9 if isinstance(node, Rate) else 1)
            case Rate():
                seen = [j for j in range(k + 1) if self.value(node.value, j, own=True) is not None][-2:]
                most = min(VALID[name] for name in ("x", "y") if name in str(node))
                if len(seen) < 2 or (k - seen[1]) * STEP >= most or (seen[1] - seen[0]) * STEP >= most:
                    return None
                rise = self.value(node.value, seen[1], own=True) - self.value(node.value, seen[0], own=True)
                return rise / ((seen[1] - seen[0]) * 60.0)
        raise AssertionError(node)

    def truth(self, node, k):
        if k < 0:
            return UNKNOWN
        match node:
            case Compare():
                left, right = self.value(node.left, k), self.value(node.right, k)
                return (
                    UNKNOWN if left is None or right is None else TRUE if COMPARE[node.operator](left, right) else FALSE
                )
            case All():
                return min(self.truth(part, k) for part in node.parts)
            case Any():
                return max(self.truth(part, k) for part in node.parts)
            case Not():
                return 2 - self.truth(node.part, k)
            case Truth():
                return TRUE if node.value else FALSE
            case ForAtLeast():
                return min(self.truth(node.part, j) for j in range(k - -(-node.duration_ns // STEP), k + 1))
            case WithinAfter():
                recent = max(self.truth(node.earlier, j) for j in range(k - -(-node.duration_ns // STEP), k + 1))
                return min(self.truth(node.part, k), recent)
        raise AssertionError(node)


small = st.one_of(st.none(), st.integers(-3, 3))
durations = st.sampled_from([STEP // 2, STEP, 2 * STEP, 5 * STEP // 2, 4 * STEP])
leaves = st.sampled_from([X, Y, LIMIT, Constant(1.0, "1")])


def values_of(signals):
    varying = st.sampled_from(signals)
    over = st.builds(lambda v, d: Change(v, d, "1"), varying, durations)
    rates = st.builds(lambda v, d: Rate(v, d, "1/s"), varying, st.one_of(st.none(), durations))
    statistics = st.sampled_from(["mean", "min", "max", "sum", "count"])
    windows = st.builds(lambda s, v, d: Window(s, v, d, "1"), statistics, varying, durations)
    return over | rates | windows


def deeper(inner):
    sums = st.builds(lambda o, a, b: Arithmetic(o, a, b, "1"), st.sampled_from(["+", "-", "*", "/"]), inner, inner)
    return (
        sums | st.builds(lambda v: Absolute(v, "1"), inner) | st.builds(lambda v: Scaled(v, 1.0, 0.5, -1.0, "1"), inner)
    )


values = st.recursive(leaves | values_of([X, Y, Arithmetic("-", X, Y, "1")]), deeper, max_leaves=4)
comparisons = st.builds(Compare, st.sampled_from(list(COMPARE)), values, values)
states = st.builds(
    lambda o, c: Compare(o, S, Constant(float(c), "1")), st.sampled_from(["==", "!="]), st.integers(0, 2)
)
conditions = st.recursive(
    comparisons | states | st.builds(Truth, st.booleans()),
    lambda inner: (
        st.builds(lambda *p: All(p), inner, inner)
        | st.builds(lambda *p: Any(p), inner, inner)
        | st.builds(Not, inner)
        | st.builds(ForAtLeast, inner, durations)
        | st.builds(WithinAfter, inner, durations, inner)
        | st.builds(
            lambda s, c, d, n: Compare(">=", Window(s, Indicator(c), d, "1"), Constant(n, "1")),
            st.sampled_from(["mean", "min", "max"]),
            inner,
            durations,
            st.sampled_from([0.5, 1.0]),
        )
    ),
    max_leaves=4,
)


@given(st.data(), conditions, st.sampled_from([2.0, np.nan]))
@settings(max_examples=120, deadline=None)
def test_a_condition_is_what_a_loop_over_cells_finds(data, condition, limit):
    rows = data.draw(st.integers(1, 14))
    x, s = (data.draw(st.lists(small, min_size=rows, max_size=rows)) for _ in range(2))
    y = data.draw(st.lists(small, min_size=-(-rows // 2), max_size=-(-rows // 2)))
    found = evaluate(condition, block(x, y, s, limit=limit))[:, 0].tolist()
    plain = Plain(x, y, s, limit=limit)
    assert found == [plain.truth(condition, k) for k in range(rows)]


@given(st.data(), conditions)
@settings(max_examples=60, deadline=None)
def test_a_cell_depends_on_no_more_than_the_cells_it_looks_back_to(data, condition):
    rows, cut = 40, data.draw(st.integers(0, 16)) * 2
    x, s = (data.draw(st.lists(small, min_size=rows, max_size=rows)) for _ in range(2))
    y = data.draw(st.lists(small, min_size=rows // 2, max_size=rows // 2))
    # The last observation of a state before the cells, as a history gives it.
    carried = next((one for one in s[cut::-1] if one is not None), None)
    whole = evaluate(condition, block(x, y, s))
    part = evaluate(condition, block(x[cut:], y[cut // 2 :], [carried, *s[cut + 1 :]], start=1000 + cut))
    back = -(-look_back_ns(condition, VALID, step_ns=STEP) // STEP)
    assert part[back:].tolist() == whole[cut + back :].tolist()


@given(
    st.lists(st.one_of(st.just(np.nan), st.floats(-1e6, 1e6)), min_size=1, max_size=60),
    st.integers(1, 70),
    st.integers(0, 20),
)
@settings(max_examples=40, deadline=None)
def test_a_window_is_the_same_wherever_the_array_begins(numbers, size, cut):
    times = (7 + np.arange(len(numbers))) * STEP
    column = np.array(numbers)[:, None]
    for statistic in ("mean", "sum", "min", "max", "count"):
        whole = windowed(column, times, size * STEP, statistic)
        part = windowed(column[cut:], times[cut:], size * STEP, statistic)
        # To the last bit, once a window is inside of the part.
        np.testing.assert_array_equal(part[size - 1 :], whole[cut + size - 1 :])


def test_a_counter_that_wraps_or_begins_again_goes_on_rising():
    odometer = Change(X, 3 * STEP, "1", counter=True, wraps_at=1000.0)
    readings = [980, 990, 4, 10, 20, 1, 2, 7]
    found = value(odometer, block(readings, [], [None] * 8))[:, 0]
    assert found.tolist()[3:] == [30.0, 30.0, 17.0, 12.0, 7.0]
    rate = value(Rate(X, None, "1/s", counter=True, wraps_at=1000.0), block(readings, [], [None] * 8))[:, 0]
    assert (rate[1:] * 60).round(9).tolist() == [10.0, 14.0, 6.0, 10.0, 1.0, 1.0, 5.0]


def test_texts_may_be_unknown_and_a_lifetime_ends():
    given_block = block([1] * 4, [1, 1], [1] * 4, end=2)
    assert evaluate(TextEquals(bound.Property("name", ""), "A 7"), given_block)[:, 0].tolist() == [
        TRUE,
        TRUE,
        UNKNOWN,
        UNKNOWN,
    ]
    assert evaluate(TextEquals(bound.Property("gone", ""), "A 7"), given_block)[:, 0].tolist() == [UNKNOWN] * 4
    assert evaluate(Not(Compare(">", X, Constant(0.0, "1"))), given_block)[:, 0].tolist() == [
        FALSE,
        FALSE,
        UNKNOWN,
        UNKNOWN,
    ]


@pytest.mark.parametrize("node", [bound.Related("truck", "within", None, Truth(value=True))])
def test_what_isnt_evaluated_on_cells_is_an_error(node):
    with pytest.raises(TypeError, match="relation in time"):
        evaluate(node, block([1], [1], [1]))
