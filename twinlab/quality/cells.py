"""The aggregate flag of history's cells, as the build computes it: one pass, by slabs with margins."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import Signal, parse_duration
from twinlab.quality.kernels import LARGEST, NEVER, Limits, judge, judge_plain

__all__ = [
    "MAX_LOOK_BACK",
    "NEIGHBOUR_REACH",
    "codes_of",
    "flag_cells",
    "limits_of",
    "margins",
    "spans_of_assets",
    "untested",
]

#: Longest look-back of a windowed test, in cells; a test that needs more is not evaluated (see `untested`).
MAX_LOOK_BACK: Final = 16_384
#: How many cells back the rate, counter and flat-line tests look for a value, if the signal states no ``gap``.
NEIGHBOUR_REACH: Final = 64
#: Maximum distance, in cells, of the readings before and after a transient of a counter.
TRANSIENT_REACH: Final = 256
# Stored values are whole multiples of the resolution: an excess is at least half of it.
_SLACK: Final = 1e-6

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def _reach(signal: Signal, default: int) -> int:
    """Return the largest distance, in cells, of two neighbours: no gap between them is longer than ``gap``."""
    if signal.gap is None:
        return default
    return min(parse_duration(signal.gap) // signal.cadence_ns + 1, MAX_LOOK_BACK)


def _flat_cells(signal: Signal) -> int | None:
    if signal.flat_line is None:
        return None
    cells = max(1, -(-parse_duration(signal.flat_line) // signal.cadence_ns))
    return cells if cells <= MAX_LOOK_BACK else None


def _heartbeat(signal: Signal) -> int:
    """Return the heartbeat in ns, 0 for none or one that looks back too far."""
    reach = 0 if signal.heartbeat is None else parse_duration(signal.heartbeat)
    return reach if reach <= MAX_LOOK_BACK * signal.cadence_ns else 0


def limits_of(signal: Signal) -> Limits:
    """Return what the kernels test a signal's values against.

    States are tested for unknown codes and flat lines, counters for range, transient
    zeros and spikes, unexplained decreases, rate and flat lines,
    gauges for everything but decreases. A counter that reads more than ``wraps_at`` fails. Spans that depend on the asset
    aren't among the limits.

    >>> limits_of(Signal(resolution=0.1, sensor_span=(-40, 85))).fail_high
    85.0
    """
    cadence, gauge, state = signal.cadence_ns, signal.kind == "gauge", signal.kind == "state"
    flat = _flat_cells(signal)
    limits = Limits(
        present=Flag.PASS.value,
        states_on=state,
        counter_on=signal.kind == "counter",
        flat_on=flat is not None,
        flat_after=NEVER if flat is None else flat * cadence,
        flat_reach=_reach(signal, NEIGHBOUR_REACH) * cadence,
        rate_reach=_reach(signal, NEIGHBOUR_REACH) * cadence,
        spike_reach=_reach(signal, 1) * cadence,
        transient_reach=min(_reach(signal, NEIGHBOUR_REACH), TRANSIENT_REACH) * cadence,
        slack=0.0 if signal.resolution is None else _SLACK * signal.resolution,
        wraps_at=float(signal.wraps_at or 0.0),
        heartbeat=_heartbeat(signal),
    )
    if state:
        return limits
    if isinstance(signal.sensor_span, tuple):
        low, high = map(float, signal.sensor_span)
        limits = limits._replace(fail_low=max(low, limits.fail_low), fail_high=min(high, limits.fail_high))
    if signal.wraps_at is not None:
        limits = limits._replace(fail_high=min(limits.fail_high, float(signal.wraps_at)))
    if isinstance(signal.expected_span, tuple):
        low, high = map(float, signal.expected_span)
        limits = limits._replace(range_on=True, suspect_low=low, suspect_high=high)
    elif signal.expected_span is not None:
        limits = limits._replace(range_on=True)
    if signal.spike is not None and gauge:
        limits = limits._replace(spike_on=True, spike_suspect=signal.spike[0], spike_fail=signal.spike[1])
    if signal.max_rate is not None:
        limits = limits._replace(rate_on=True, rate_suspect=signal.max_rate[0], rate_fail=signal.max_rate[1])
    return limits


def margins(signal: Signal) -> tuple[int, int]:
    """Return how many cells before and after a slab its flags depend on.

    A cell that changes changes the flags of at most ``after`` cells before it and ``before`` cells after it; a
    watermark that moves from ``a`` to ``b`` changes flags from ``a - after`` on.

    >>> margins(Signal(resolution=0.1, spike=(2, 5), flat_line="10min"))
    (74, 1)
    """
    limits, cadence = limits_of(signal), signal.cadence_ns
    before = after = 0
    if limits.spike_on:
        before = after = limits.spike_reach // cadence
    if limits.rate_on or limits.counter_on:
        before = max(before, limits.rate_reach // cadence)
    if limits.flat_on:
        before = max(before, (limits.flat_after + limits.flat_reach) // cadence)
    if limits.counter_on:
        # Whether a value is transient depends on values within the reach, which may be transient themselves.
        passing = 2 * limits.transient_reach // cadence
        before, after = before + passing, max(after, passing)
    if limits.heartbeat:
        # The two reports around a cell in which no value was expected.
        before, after = (max(reach, limits.heartbeat // cadence) for reach in (before, after))
    for back, ahead in _reaches_of_tests(signal).values():
        if max(back, ahead) <= MAX_LOOK_BACK:
            before, after = max(before, back), max(after, ahead)
    return before, after


def _reaches_of_tests(signal: Signal) -> dict[str, tuple[int, int]]:
    if not signal.tests:
        return {}
    from twinlab.quality.signal_tests import reaches_of_tests  # noqa: PLC0415  (loads xarray, which few signals need here)

    return reaches_of_tests(signal)


def untested(signal: Signal) -> dict[str, str]:
    """Return the tests that the signal names and that can't be run, each with the reason.

    >>> list(untested(Signal(resolution=0.1, cadence="1s", flat_line="1d")))
    ['flat_line']
    """
    found = {}
    if signal.flat_line is not None and _flat_cells(signal) is None:
        found["flat_line"] = (
            f"flat_line {signal.flat_line} looks back over more than {MAX_LOOK_BACK} cells of {signal.cadence}; "
            "shorten it or choose a coarser cadence"
        )
    if signal.heartbeat is not None and not _heartbeat(signal):
        found["heartbeat"] = (
            f"heartbeat {signal.heartbeat} reaches over more than {MAX_LOOK_BACK} cells of {signal.cadence}: every empty "
            "cell counts as missing; shorten it or choose a coarser cadence"
        )
    for test, asked in (("spike", signal.spike), ("max_rate", signal.max_rate)):
        if asked is not None and (signal.kind == "state" or (test == "spike" and signal.kind == "counter")):
            found[test] = f"{test} has no meaning for a {signal.kind}; remove it from the model"
    for test, reach in _reaches_of_tests(signal).items():
        if max(reach) > MAX_LOOK_BACK:
            found[f"tests.{test}"] = (
                f"the quality test {test!r} looks over {max(reach)} cells of {signal.cadence}, more than {MAX_LOOK_BACK}; "
                "shorten its durations or choose a coarser cadence"
            )
    return found


def codes_of(signal: Signal) -> npt.NDArray[np.bool_]:
    """Return an array of bool: whether each state code is one of the signal's.

    >>> codes_of(Signal(kind="state", states={0: "closed", 2: "open"})).tolist()
    [True, False, True]
    """
    known = signal.states or {}
    codes = np.zeros(max(known, default=0) + 1, dtype=np.bool_)
    codes[list(known)] = True
    return codes


def spans_of_assets(signal: Signal, limits: Limits, given: Floats | None, assets: int) -> Floats | None:
    """Return the limits of each asset as the kernels take them, None if they are the same for all.

    Raises
    ------
    SchemaError
        If they are needed and not given for each of the assets.
    """
    if not signal.limits_of_assets:
        return None
    if given is None or given.shape != (4, assets):
        msg = (
            f"expected the limits of {assets} assets, since {' and '.join(signal.limits_of_assets)} of the signal depends "
            f"on the asset, got {'none' if given is None else f'shape {given.shape}'}; see AssetType.limits"
        )
        raise SchemaError(msg)
    largest = np.reshape((limits.fail_low, limits.fail_high, -LARGEST, LARGEST), (4, 1))
    # A limit of all assets, such as `wraps_at`, applies to each of them.
    low, high = np.maximum(given[::2], largest[::2]), np.minimum(given[1::2], largest[1::2])
    return np.ascontiguousarray(np.stack([low[0], high[0], low[1], high[1]]))


def _per_asset(given: npt.ArrayLike | None, assets: int, default: int, name: str) -> Integers:
    if given is None:
        return np.full(assets, default, dtype=np.int64)
    cells = np.asarray(given)
    if cells.dtype.kind not in "iu" or cells.shape not in ((), (assets,)):
        msg = f"expected {name} as one whole cell number for each of {assets} assets, got {cells.dtype} {cells.shape}"
        raise SchemaError(msg)
    return np.ascontiguousarray(np.broadcast_to(cells, (assets,)), dtype=np.int64)


def flag_cells(
    values: npt.NDArray[np.float64],
    *,
    signal: Signal,
    margin_before: int = 0,
    margin_after: int = 0,
    known_until: npt.ArrayLike | None = None,
    known_from: npt.ArrayLike | None = None,
    start_ns: int = 0,
    limits_of_assets: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.uint8]:
    """Return the aggregate flag of each cell of a slab: the worst of all tests that the signal names.

    The flag of a cell depends only on the values `margins` around it and on the asset's ``known_until`` and
    ``known_from``, never on the order in which values arrived. Cells from ``known_until`` on are not evaluated, with a
    value or without, and don't influence the flags of earlier cells: flags before the watermark depend on settled values
    alone. A value passes unless a test flags it.

    A reading outside the sensor's span fails and is ignored by the tests that compare values. These compare neighbours
    with no gap longer than the signal's ``gap`` between them; without a ``gap``, adjacent cells for spikes and values up
    to `NEIGHBOUR_REACH` cells back for the others. Cells of a gap are missing, unless the signal states a ``heartbeat``:
    between two reports no further apart than that, or between the last one and ``known_until``, no value was expected,
    and the cells are not evaluated. The value after a gap isn't suspect because of it.

    The tests that the signal names under ``tests`` judge settled values within the sensor's span; the worst flag counts.

    Parameters
    ----------
    values : float64 [margin_before + n + margin_after, asset]
        In the signal's unit, one row a cell of its cadence; NaN is missing. States are code numbers.
    signal : Signal
    margin_before, margin_after : int
        Rows given for context only. Fewer than `margins` returns are correct only at the ends of history.
    known_until : int64 [asset] or int, optional
        First cell that the watermark hasn't passed, counted from the first cell that isn't margin (may be negative).
        All cells are settled by default.
    known_from : int64 [asset] or int, optional
        First cell from which cells without a value are missing rather than before the asset's first value, counted alike.
    start_ns : int
        Time of the first row of ``values``, nanoseconds since 1970, for tests that depend on the time of day or year.
    limits_of_assets : float64 [4, asset], optional
        As `AssetType.limits` returns them; needed, and used, for a signal whose spans depend on the asset.

    Returns
    -------
    uint8 [n, asset]
        QARTOD's numbers, see `twinlab.model.flags.Flag`.

    Raises
    ------
    SchemaError
        If shapes don't fit, or the limits of the assets are lacking.

    >>> wind = Signal(resolution=1, sensor_span=(0, 100))
    >>> flag_cells(np.array([[7.0], [1048.0], [np.nan], [8.0]]), signal=wind, known_until=3).ravel().tolist()
    [1, 4, 9, 2]
    """
    table = np.ascontiguousarray(values, dtype=np.float64)
    if table.ndim != 2 or min(margin_before, margin_after) < 0 or table.shape[0] < margin_before + margin_after:
        msg = (
            f"expected values [time, asset] of at least {margin_before} + {margin_after} rows of margin, "
            f"got shape {table.shape}; give the margins that were read"
        )
        raise SchemaError(msg)
    rows, assets = table.shape
    until = _per_asset(known_until, assets, NEVER, "known_until")
    since = _per_asset(known_from, assets, -NEVER, "known_from")
    limits = limits_of(signal)
    spans = spans_of_assets(signal, limits, limits_of_assets, assets)
    out = np.empty((rows - margin_before - margin_after, assets), dtype=np.uint8)
    if limits.spike_on or limits.rate_on or limits.flat_on or limits.counter_on or limits.heartbeat:
        times = np.arange(rows, dtype=np.int64) * signal.cadence_ns
        judge(table, times, margin_before, since, until, spans, limits, codes_of(signal), out)
    else:
        judge_plain(table, margin_before, since, until, spans, limits, codes_of(signal), out)
    if signal.tests:
        from twinlab.quality.signal_tests import add_test_flags  # noqa: PLC0415  (loads xarray, which few signals need here)

        skip = frozenset(name.removeprefix("tests.") for name in untested(signal) if name.startswith("tests."))
        shown = limits_of_assets if spans is not None else None
        add_test_flags(
            out,
            table,
            signal=signal,
            sensor_span=shown,
            first=margin_before,
            until=until,
            start_ns=start_ns,
            untested=skip,
        )
    return out
