"""The build's aggregate flag: against the oracles, over splits, watermarks and orders of arrival."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.quality import oracles
from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import Signal
from twinlab.quality import MAX_LOOK_BACK, flag_cells, margins, untested

PROVED = settings(deadline=None)

GAUGE = Signal(
    resolution=0.25,
    cadence="2s",
    sensor_span=(-5, 5),
    expected_span=(-1.5, 1.5),
    spike=(0.5, 1),
    max_rate=(0.25, 0.5),
    flat_line="6s",
    gap="4s",
)
COUNTER = Signal(kind="counter", resolution=1, cadence="2s", wraps_at=20, max_rate=(2, 4), gap="6s")
STATE = Signal(kind="state", cadence="2s", states={0: "closed", 2: "open"}, flat_line="8s")
SELDOM = Signal(resolution=0.25, cadence="2s", sensor_span=(-5, 5), spike=(0.5, 1), gap="4s", heartbeat="7s")

CELL = st.one_of(st.just(np.nan), st.integers(-8, 24).map(lambda n: n / 4), st.sampled_from([0.0, 0.25, 2.0, 30.0]))
ASSETS = 2
SLABS = st.lists(st.tuples(*[CELL] * ASSETS), min_size=1, max_size=40).map(lambda rows: np.array(rows, dtype=float))
SIGNALS = st.sampled_from([GAUGE, COUNTER, STATE, SELDOM, Signal(resolution=0.25, sensor_span=(-5, 5))])


def expected_gauge(values: list[float], known_until: int, known_from: int) -> list[int]:
    """Return GAUGE's flags: out-of-span and unsettled values count as absent for the tests that look around."""
    settled = [v if k < known_until else np.nan for k, v in enumerate(values)]
    seen = [v if not np.isnan(v) and -5 <= v <= 5 else np.nan for v in settled]
    flags = []
    for k, v in enumerate(values):
        if k >= known_until or (np.isnan(v) and k < known_from):
            flags.append(2)
            continue
        found = [oracles.range_of(v, (-5, 5), (-1.5, 1.5))]
        if not np.isnan(seen[k]):
            found.append(oracles.spike(seen, k, 3, suspect=0.5, fail=1))
            found.append(oracles.rate(seen, k, 3, suspect=0.25, fail=0.5, seconds=2))
            found.append(oracles.flat(seen, k, 3, 3))
        flags.append(oracles.worst(found))
    return flags


@PROVED
@given(SLABS, st.integers(-3, 45), st.integers(-3, 45))
def test_the_flag_of_a_cell_is_the_worst_of_all_tests(slab: np.ndarray, known_until: int, known_from: int) -> None:
    found = flag_cells(slab, signal=GAUGE, known_until=known_until, known_from=known_from)
    for j in range(ASSETS):
        assert found[:, j].tolist() == expected_gauge(slab[:, j].tolist(), known_until, known_from)


@PROVED
@given(SLABS, SIGNALS, st.data())
def test_a_slab_with_its_margins_gets_the_flags_of_the_whole_series(
    slab: np.ndarray, signal: Signal, data: st.DataObject
) -> None:
    n = len(slab)
    marks = st.lists(st.integers(0, n), min_size=ASSETS, max_size=ASSETS)
    known_until, known_from = np.array(data.draw(marks)), np.array(data.draw(marks))
    whole = flag_cells(slab, signal=signal, known_until=known_until, known_from=known_from)
    start = data.draw(st.integers(0, n))
    stop = data.draw(st.integers(start, n))
    before, after = (min(margin, room) for margin, room in zip(margins(signal), (start, n - stop), strict=True))
    part = flag_cells(
        slab[start - before : stop + after],
        signal=signal,
        margin_before=before,
        margin_after=after,
        known_until=known_until - start,
        known_from=known_from - start,
    )
    np.testing.assert_array_equal(part, whole[start:stop])


@PROVED
@given(SLABS, SIGNALS, st.data())
def test_a_changed_cell_changes_flags_within_the_margins_only(
    slab: np.ndarray, signal: Signal, data: st.DataObject
) -> None:
    k = data.draw(st.integers(0, len(slab) - 1))
    changed = slab.copy()
    changed[k, 0] = data.draw(CELL)
    before, after = margins(signal)
    differs = np.flatnonzero((flag_cells(slab, signal=signal) != flag_cells(changed, signal=signal)).any(axis=1))
    assert all(k - after <= cell <= k + before for cell in differs)


@PROVED
@given(SLABS, SIGNALS, st.data())
def test_what_came_ahead_of_the_watermark_never_judges_what_is_settled(
    slab: np.ndarray, signal: Signal, data: st.DataObject
) -> None:
    mark = data.draw(st.integers(0, len(slab)))
    ahead = slab.copy()
    ahead[mark:] = np.nan
    found = flag_cells(slab, signal=signal, known_until=mark)
    np.testing.assert_array_equal(found, flag_cells(ahead, signal=signal, known_until=mark))
    assert (found[mark:] == Flag.NOT_EVALUATED).all()


@PROVED
@given(SLABS, SIGNALS, st.data())
def test_a_watermark_that_moves_changes_flags_within_the_after_margin_only(
    slab: np.ndarray, signal: Signal, data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(slab)))
    then = data.draw(st.integers(first, len(slab)))
    settled = max(0, first - margins(signal)[1])
    np.testing.assert_array_equal(
        flag_cells(slab, signal=signal, known_until=first)[:settled],
        flag_cells(slab, signal=signal, known_until=then)[:settled],
    )


@PROVED
@given(SLABS)
def test_every_flag_is_one_of_qartods_and_no_value_changes(slab: np.ndarray) -> None:
    kept = slab.copy()
    found = flag_cells(slab, signal=GAUGE)
    assert set(np.unique(found)) <= {flag.value for flag in Flag}
    np.testing.assert_array_equal(slab, kept)
    np.testing.assert_array_equal(found == Flag.MISSING, np.isnan(slab))


@PROVED
@given(SLABS, st.integers(0, 45), st.integers(-3, 45))
def test_between_two_reports_within_the_heartbeat_nothing_is_missing(
    slab: np.ndarray, known_until: int, known_from: int
) -> None:
    plain = SELDOM.model_copy(update={"heartbeat": None})
    known_until = min(known_until, len(slab))
    found, before = (
        flag_cells(slab, signal=signal, known_until=known_until, known_from=known_from) for signal in (SELDOM, plain)
    )
    # Seven seconds are three cells of two.
    for j in range(ASSETS):
        due = oracles.due(slab[:, j].tolist(), known_until, 3)
        expected = [2 if flag == 9 and not due[k] else flag for k, flag in enumerate(before[:, j].tolist())]
        assert found[:, j].tolist() == expected


def test_a_truck_that_reports_hourly_at_rest_is_missing_only_where_a_report_failed() -> None:
    signal = Signal(resolution=1, cadence="30min", heartbeat="1h")
    hours = column(5, np.nan, 5, np.nan, np.nan, np.nan, 5, np.nan)
    assert flag_cells(hours, signal=signal, known_until=8).ravel().tolist() == [1, 2, 1, 9, 9, 9, 1, 2]
    # Settled for longer, the last report is overdue.
    overdue = column(5, np.nan, np.nan)
    assert flag_cells(overdue, signal=signal, known_until=3).ravel().tolist() == [1, 9, 9]


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)[:, np.newaxis]


def test_an_absurd_reading_fails_and_does_not_condemn_its_neighbours() -> None:
    wind = Signal(unit="m/s", resolution=0.1, cadence="1h", sensor_span=(0, 75), spike=(10, 20), max_rate=(0.01, 0.02))
    found = flag_cells(column(5, 6, 468.7, 6, 5), signal=wind)
    assert found.ravel().tolist() == [1, 1, 4, 1, 1]


def test_a_value_on_the_threshold_passes_whatever_float_rounding_says() -> None:
    # 0.8 - 0.7 is a little more than 0.1 in binary.
    signal = Signal(resolution=0.1, cadence="1s", max_rate=(0.1, 0.2), sensor_span=(0, 0.8))
    assert flag_cells(column(0.7, 0.8), signal=signal).ravel().tolist() == [1, 1]


def test_infinity_always_fails() -> None:
    assert flag_cells(column(np.inf, -np.inf), signal=Signal(resolution=1)).ravel().tolist() == [4, 4]


def test_a_counter_may_wrap_and_restart_but_not_run_backwards() -> None:
    meter = Signal(kind="counter", resolution=1, wraps_at=100)
    assert flag_cells(column(90, 95, 3, 80, 10, 9), signal=meter).ravel().tolist() == [1, 1, 1, 1, 1, 3]


def test_the_rate_of_a_counter_counts_on_over_a_wrap() -> None:
    meter = Signal(kind="counter", resolution=1, cadence="1s", wraps_at=100, max_rate=(10, 50))
    assert flag_cells(column(95, 3, 40, 99), signal=meter).ravel().tolist() == [1, 1, 3, 4]


def test_an_unknown_state_code_fails_and_a_state_may_hang() -> None:
    door = Signal(kind="state", states={0: "closed", 1: "open"}, flat_line="2min")
    assert flag_cells(column(0, 7, 0.5, 1, 1, 1), signal=door).ravel().tolist() == [1, 4, 4, 1, 1, 3]


@pytest.mark.parametrize(
    ("gap", "expected"),
    [(None, [1, 9, 1, 1]), ("1min", [1, 9, 1, 1]), ("30s", [1, 9, 1, 1])],
)
def test_a_hole_is_missing_however_short(gap: str | None, expected: list[int]) -> None:
    assert flag_cells(column(1, np.nan, 2, 3), signal=Signal(resolution=1, gap=gap)).ravel().tolist() == expected


def test_values_on_both_sides_of_a_gap_are_not_neighbours() -> None:
    signal = Signal(resolution=1, max_rate=(0.01, 0.1), gap="1min")
    assert flag_cells(column(0, np.nan, 100), signal=signal).ravel().tolist() == [1, 9, 4]
    assert flag_cells(column(0, np.nan, np.nan, 100), signal=signal).ravel().tolist() == [1, 9, 9, 1]


def test_a_flat_line_longer_than_the_longest_look_back_is_reported_as_untested() -> None:
    long = Signal(resolution=1, cadence="1s", flat_line="1d", spike=(1, 2))
    assert list(untested(long)) == ["flat_line"]
    assert margins(long) == (1, 1)
    longest = Signal(resolution=1, cadence="1s", flat_line=f"{MAX_LOOK_BACK}s")
    assert not untested(longest)
    assert margins(longest)[0] > MAX_LOOK_BACK


def test_tests_that_make_no_sense_for_a_kind_are_reported() -> None:
    assert set(untested(Signal(kind="counter", resolution=1, spike=(1, 2), max_rate=(1, 2)))) == {"spike"}
    assert set(untested(Signal(kind="state", states={0: "off"}, spike=(1, 2), max_rate=(1, 2)))) == {
        "spike",
        "max_rate",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        {"values": np.zeros(3)},
        {"values": np.zeros((3, 1)), "margin_before": 2, "margin_after": 2},
        {"values": np.zeros((3, 1)), "margin_before": -1},
        {"values": np.zeros((3, 2)), "known_until": np.array([1, 2, 3])},
        {"values": np.zeros((3, 2)), "known_from": np.array([1.5, 2.0])},
    ],
)
def test_shapes_that_do_not_fit_are_refused(arguments: dict) -> None:
    with pytest.raises(SchemaError, match="expected"):
        flag_cells(signal=GAUGE, **arguments)


def test_slabs_of_any_memory_layout_and_integer_type_are_judged_alike() -> None:
    table = np.array([[1, 2], [9, 2], [1, 2]])
    wanted = flag_cells(table.astype(float), signal=GAUGE)
    np.testing.assert_array_equal(flag_cells(table, signal=GAUGE), wanted)
    np.testing.assert_array_equal(flag_cells(np.asfortranarray(table, dtype=float), signal=GAUGE), wanted)
