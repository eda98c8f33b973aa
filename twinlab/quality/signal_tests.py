"""Run the tests that a signal names under ``tests:``, on labelled arrays and on the cells of history's build."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.flags import Flag
from twinlab.quality.aggregate import worst_of
from twinlab.quality.labelled import along_time, step_of, times_of
from twinlab.quality.registry import QUALITY_TESTS, tests_of_cells

if TYPE_CHECKING:
    from twinlab.model.extensions.options import Options
    from twinlab.model.extensions.quality_test import QualityTest
    from twinlab.model.signal import Signal

__all__ = ["add_test_flags", "flags_of_cells", "flags_of_tests", "reaches_of_tests", "run_test"]

_FLAGS = np.array([flag.value for flag in Flag], dtype=np.uint8)


def bound_tests(signal: Signal) -> list[tuple[QualityTest, Options]]:
    """Return the tests of its own values that a signal names, each with its options in the signal's unit."""
    tests = [(QUALITY_TESTS.get(name), signal.tests[name]) for name in tests_of_cells(signal.tests)]
    return [(test, test.parse(given, unit=signal.unit)) for test, given in tests]


def reaches_of_tests(signal: Signal) -> dict[str, tuple[int, int]]:
    """Return how many cells before and after a cell each test needs."""
    cadence = signal.cadence_ns
    out = {}
    for test, options in bound_tests(signal):
        before, after = test.reach(options, cadence)
        out[test.name] = (-(-before // cadence), -(-after // cadence))
    return out


def run_test(
    test: QualityTest, values: xr.DataArray, options: Options, others: xr.Dataset | None = None
) -> xr.DataArray:
    """Return one test's flags of a labelled array, lazy if it came lazy.

    Parameters
    ----------
    test : QualityTest
    values : DataArray with dimension ``time``
        NaN means missing.
    options : Options
        As ``test.parse`` returns them.
    others : Dataset, optional
        The other signals of the asset, for a test of the scope "asset".

    Returns
    -------
    DataArray, uint8, same shape

    Raises
    ------
    SchemaError
        If the time axis doesn't fit, or the test doesn't return flags.

    >>> from twinlab.quality.built_in import RANGE
    >>> minutes = np.datetime64("2026-01-01", "ns") + np.arange(3) * np.timedelta64(1, "m")
    >>> values = xr.DataArray([1.0, 60, np.nan], {"time": minutes}, "time")
    >>> run_test(RANGE, values, RANGE.parse({"fail_span": [0, 50]})).values.tolist()
    [1, 4, 9]
    """
    if test.lazy:
        return test.run(values, options, others)
    times = times_of(values)
    before, after = test.reach(options, step_of(times))
    dims = values.transpose("time", ...).dims

    def block(numbers: npt.NDArray[np.float64], ns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        return _judged(test, options, numbers, dims, ns, values.attrs)

    name = f"{test.name}_test_quality_flag"
    return along_time(values, block, times=times, before=before, after=after, standard_name=name)


def flags_of_tests(values: xr.DataArray, *, signal: Signal) -> list[xr.DataArray]:
    """Return the flags of each test that a signal names; values outside the sensor's span are missing to them."""
    if not signal.tests:
        return []
    low, high = _span(signal)
    shown = values.where((values >= low) & (values <= high)).assign_attrs(units=signal.unit)
    return [
        run_test(test, shown, options).where(shown.notnull(), Flag.NOT_EVALUATED.value).astype(np.uint8)
        for test, options in bound_tests(signal)
    ]


def add_test_flags(
    out: npt.NDArray[np.uint8],
    values: npt.NDArray[np.float64],
    *,
    signal: Signal,
    sensor_span: npt.NDArray[np.float64] | None,
    first: int,
    until: npt.NDArray[np.int64],
    start_ns: int,
    untested: frozenset[str],
) -> None:
    """Worsen the flags of cells by those of each test that the signal names.

    Parameters
    ----------
    out : uint8 [n, asset]
        Flags so far; changed in place where there is a value that is settled and within the sensor's span.
    values : float64 [time, asset]
        Margins included.
    sensor_span : float64 [2 or more, asset], optional
        Lowest and highest value of each asset's sensor, for a signal whose span depends on the asset.
    first : int
        Row of ``values`` that ``out[0]`` judges.
    until : int64 [asset]
        Row of ``out`` from which nothing is settled.
    start_ns : int
        Time of the first row, nanoseconds since 1970.
    untested : frozenset of str
        Tests that aren't run because their reach is too long.
    """
    rows = np.arange(len(values))[:, None] - first
    settled = np.where(rows < until[None, :], values, np.nan)
    judged = flags_of_cells(
        settled,
        signal=signal,
        sensor_span=sensor_span,
        first=first,
        count=len(out),
        start_ns=start_ns,
        untested=untested,
    )
    for _, found, present in judged:
        np.copyto(out, worst_of(out, found), where=present)


def flags_of_cells(
    values: npt.NDArray[np.float64],
    *,
    signal: Signal,
    sensor_span: npt.NDArray[np.float64] | None,
    first: int,
    count: int,
    start_ns: int,
    untested: frozenset[str],
) -> Iterator[tuple[str, npt.NDArray[np.uint8], npt.NDArray[np.bool_]]]:
    """Yield name, flags and a mask of the judged cells of each test that a signal names; parameters as of `add_test_flags`.

    ``count`` rows from ``first`` on are judged; values outside the sensor's span aren't.
    """
    low, high = _span(signal) if sensor_span is None else sensor_span[:2]
    shown = np.where((values >= low) & (values <= high), values, np.nan)
    times = start_ns + np.arange(len(values), dtype=np.int64) * signal.cadence_ns
    kept = slice(first, first + count)
    present = ~np.isnan(shown[kept])
    for test, options in bound_tests(signal):
        if test.name not in untested:
            found = _judged(test, options, shown, ("time", "asset"), times, {"units": signal.unit})[kept]
            yield test.name, found, present


def _span(signal: Signal) -> tuple[float, float]:
    return signal.sensor_span if isinstance(signal.sensor_span, tuple) else (-np.inf, np.inf)


def _judged(  # noqa: PLR0917
    test: QualityTest,
    options: Options,
    values: npt.NDArray[np.float64],
    dims: tuple[Any, ...],
    times: npt.NDArray[np.int64],
    attrs: dict[str, Any],
) -> npt.NDArray[np.uint8]:
    """Call a test on numbers in memory and return its flags in the order of ``dims``."""
    given = np.array(values, dtype=np.float64)
    given.setflags(write=False)
    array = xr.DataArray(given, {"time": times.view("datetime64[ns]")}, dims, attrs=attrs)
    found = test.run(array, options)
    fault = _result_fault(found, array)
    if fault:
        msg = f"the quality test {test.name!r} returned {fault}; correct its function"
        raise SchemaError(msg)
    flags: npt.NDArray[np.uint8] = found.transpose(*dims).to_numpy()
    return flags


def _result_fault(found: object, given: xr.DataArray) -> str:
    if not isinstance(found, xr.DataArray):
        return f"a {type(found).__name__}, expected a DataArray"
    if found.dtype != np.uint8:
        return f"{found.dtype}, expected uint8"
    if set(found.dims) != set(given.dims) or found.transpose(*given.dims).shape != given.shape:
        return f"{dict(found.sizes)}, expected {dict(given.sizes)}"
    others = np.setdiff1d(np.unique(found.to_numpy()), _FLAGS)
    return f"the number {others[0]}, expected flags out of {_FLAGS.tolist()}" if others.size else ""
