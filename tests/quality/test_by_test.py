"""`flags_by_test` says which test gave which flag, and its worst is the flag of history."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twinlab.errors import SchemaError
from twinlab.model.twinmodel import Signal
from twinlab.quality.aggregate import worst_of
from twinlab.quality.by_test import flags_by_test
from twinlab.quality.cells import flag_cells, margins

GAUGE = Signal(
    resolution=0.5, sensor_span=(-40, 60), expected_span=(0, 30), spike=(3, 8), max_rate=(0.05, 0.1), flat_line="3min",
    tests={"climatology": {"spans": [{"suspect": [2, 20], "fail": [0, 25]}]}, "range": {"fail_span": [-20, 28]}},
)  # fmt: skip
COUNTER = Signal(kind="counter", resolution=0.5, wraps_at=50, max_rate=(0.05, 0.1), flat_line="3min")
STATE = Signal(kind="state", states={0: "closed", 2: "open"}, flat_line="3min")

numbers = st.one_of(st.just(np.nan), st.integers(-90, 140).map(lambda one: one / 2))
tables = arrays(np.float64, st.tuples(st.integers(1, 14), st.integers(1, 2)), elements=numbers)


@pytest.mark.parametrize("signal", [GAUGE, COUNTER, STATE], ids=["gauge", "counter", "state"])
@given(values=tables)
def test_the_worst_flag_of_the_tests_is_the_flag_of_history(signal: Signal, values: npt.NDArray[np.float64]) -> None:
    found = flags_by_test(values, signal=signal)
    assert np.array_equal(worst_of(*found.values()), flag_cells(values, signal=signal))


def only(**rule: object) -> Signal:
    return Signal(resolution=0.5, sensor_span=(-40, 60), expected_span=(0, 30), **rule)


@pytest.mark.parametrize(
    ("rule", "values", "expected"),
    [
        ({}, [1, 99, 40, 1], {"range": [1, 4, 3, 1]}),
        ({"spike": (3, 8)}, [1, 1, 15, 1, 1], {"range": [1] * 5, "spike": [1, 3, 4, 3, 1]}),
        ({"max_rate": (0.05, 0.1)}, [1, 5, 15], {"range": [1] * 3, "rate": [1, 3, 4]}),
        ({"flat_line": "2min"}, [7, 7, 7, 8], {"range": [1] * 4, "flat_line": [2, 2, 3, 1]}),
        # A value outside the sensor's span isn't a spike too.
        ({"spike": (3, 8)}, [1, 1, 99, 1, 1], {"range": [1, 1, 4, 1, 1], "spike": [1, 1, 2, 1, 1]}),
    ],
)
def test_each_flag_is_named_after_its_test(
    rule: dict[str, object], values: list[float], expected: dict[str, list[int]]
) -> None:
    found = flags_by_test(np.array(values, dtype=np.float64)[:, None], signal=only(**rule))
    assert {name: flags.ravel().tolist() for name, flags in found.items()}.keys() == expected.keys()
    for name, flags in expected.items():
        bad = [flag if flag in (3, 4) else 0 for flag in found[name].ravel().tolist()]
        assert bad == [flag if flag in (3, 4) else 0 for flag in flags], name


@given(values=arrays(np.float64, (40, 2), elements=numbers), cut=st.integers(0, 31))
def test_margins_make_pieces_equal_to_the_whole(values: npt.NDArray[np.float64], cut: int) -> None:
    signal = only(spike=(3, 8), flat_line="2min", gap="2min")
    whole = flags_by_test(values, signal=signal)
    before, after = margins(signal)
    low, high = max(0, cut - before), cut + 5 + after
    piece = flags_by_test(values[low:high], signal=signal, margin_before=cut - low, margin_after=after)
    for name, flags in whole.items():
        assert np.array_equal(piece[name], flags[cut : cut + 5]), name


def test_limits_of_assets_are_needed_where_spans_depend_on_them() -> None:
    signal = Signal(resolution=0.5, sensor_span={"assets": {"A": [0, 5], "B": [0, 50]}})
    with pytest.raises(SchemaError, match="limits of 2 assets"):
        flags_by_test(np.zeros((3, 2)), signal=signal)
    limits = np.array([[0.0, 0], [5, 50], [-np.inf, -np.inf], [np.inf, np.inf]])
    found = flags_by_test(np.full((1, 2), 20.0), signal=signal, limits_of_assets=limits)
    assert found["range"].tolist() == [[4, 1]]
