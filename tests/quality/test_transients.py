"""Counters: transient zeros and spikes, resets, wraps."""

import numpy as np
import pytest

from twinlab.model.signal import Signal
from twinlab.quality.cells import flag_cells, margins

METER = Signal(kind="counter", unit="kWh", resolution=0.1)


def flags(*values: float, signal: Signal = METER) -> list[int]:
    return flag_cells(np.array(values, dtype=float)[:, None], signal=signal).ravel().tolist()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((100, 100.5, 0, 101, 101.5), [1, 1, 4, 1, 1]),
        ((100, 100.5, 0, 0, 0, 101, 101.5), [1, 1, 4, 4, 4, 1, 1]),
        ((100, 100.5, np.nan, 0, np.nan, 101), [1, 1, 9, 4, 9, 1]),
        ((100, 100.5, 99999, 101, 101.5), [1, 1, 4, 1, 1]),
        ((100, 99999, 101, 102, 99999, 103), [1, 4, 1, 1, 4, 1]),
        ((100, 0, 101, 0, 102), [1, 4, 1, 4, 1]),
        ((100, 90, 101), [1, 4, 1]),
    ],
)
def test_a_transient_zero_or_spike_that_recovers_fails_and_spoils_no_neighbour(values, expected):
    assert flags(*values) == expected


@pytest.mark.parametrize(
    "values",
    [
        (100, 101, 0, 0.5, 1, 1.5),  # a reset
        (100, 101, 0),  # nobody knows yet
        (3, 6, 12, 1, 5, 10, 2, 7, 14),  # an hourly total
        (5, 40, 80, 120, 5.1, 40, 80, 121),  # a daily total, first read at 5
        (0.2, 0, 0.4),  # reset, and rain again: as likely as a transient
    ],
)
def test_resets_are_no_transients(values):
    assert 4 not in flags(*values)


def test_a_wrap_is_no_transient():
    meter = Signal(kind="counter", resolution=1, wraps_at=100)
    assert flags(90, 95, 3, 40, signal=meter) == [1, 1, 1, 1]
    assert flags(90, 0, 91, signal=meter) == [1, 4, 1]


def test_flags_in_pieces_equal_flags_at_once():
    rng = np.random.default_rng(3)
    meter = Signal(kind="counter", resolution=0.1, gap="4min")
    before, after = margins(meter)
    values = np.cumsum(rng.integers(0, 3, (400, 1)), axis=0).astype(float) + 50
    values[rng.random(values.shape) < 0.15] = 0
    values[rng.random(values.shape) < 0.1] = 9000
    values[rng.random(values.shape) < 0.2] = np.nan
    whole = flag_cells(values, signal=meter)
    for low in range(0, 400, 7):
        high = min(low + 7, 400)
        first, last = max(0, low - before), min(400, high + after)
        part = flag_cells(values[first:last], signal=meter, margin_before=low - first, margin_after=last - high)
        np.testing.assert_array_equal(part, whole[low:high])
