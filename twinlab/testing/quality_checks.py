"""Conformance check of a quality test: what twinlab relies on when it runs somebody's test in a history's build."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.model.extensions.options import Options
from twinlab.model.extensions.quality_test import QualityTest
from twinlab.model.flags import Flag
from twinlab.quality.registry import QUALITY_TESTS
from twinlab.quality.signal_tests import run_test

__all__ = ["check_quality_test"]

_MINUTE = 60 * 10**9
_LONGEST = 20_000


def check_quality_test(test: QualityTest | str, **options: object) -> None:
    """Check that a quality test does what twinlab relies on.

    It returns uint8 flags of the same shape; leaves the values as they were; gives 9 to missing values and to nothing
    else; judges always alike; and gives lazy arrays the same flags. A test of one signal judges each series by itself, and
    needs no more samples around one than ``reach`` states. A test that needs other signals gets some that resemble the
    values.

    Parameters
    ----------
    test : QualityTest or str
        The test, or its name in the registry.
    **options
        Options to check it with, as ``twin.yaml`` has them.

    Raises
    ------
    AssertionError
        With a sentence that says what is wrong.
    SchemaError
        If the test's function doesn't return flags.

    >>> check_quality_test("spike", suspect=2, fail=5)
    """
    found = QUALITY_TESTS.get(test) if isinstance(test, str) else test
    _check(isinstance(found, QualityTest), f"expected a twinlab.model.QualityTest, got a {type(found).__name__}")
    parsed = found.parse(options)
    _check(
        found.lazy or found.scope == "signal",
        f"{found.name}: expected lazy=True, since only tests of the scope 'signal' are called piece by piece",
    )
    before, after = found.reach(parsed, _MINUTE)
    _check(min(before, after) >= 0, f"{found.name}: reach returned {before, after}, expected two durations from 0 ns")
    samples = min(200 + 3 * (before + after) // _MINUTE, _LONGEST)
    if found.scope == "signal":
        _check_reach(found, parsed, _example(found, samples, seed=4), (before, after))
    for values in (_example(found, samples, seed=1), _example(found, samples, seed=2), _example(found, 1, seed=3)):
        flags = _flags_of(found, parsed, values)
        _check_alike(found, parsed, values, flags)
        _check_lazy(found, parsed, values, flags)
    nothing = _example(found, samples, seed=5).where(False)  # noqa: FBT003  (xarray's condition)
    _flags_of(found, parsed, nothing)


def _check(condition: bool, message: str) -> None:  # noqa: FBT001
    if not condition:
        raise AssertionError(message)


def _example(test: QualityTest, samples: int, *, seed: int) -> xr.DataArray:
    """Three series by minutes with runs, steps, spikes and holes; whole numbers from 0 for states."""
    random = np.random.default_rng(seed)
    if test.kinds == ("state",):
        values = np.repeat(random.integers(0, 4, (samples, 3)), 5, axis=0)[:samples].astype(float)
    else:
        values = np.round(np.cumsum(random.normal(0, 0.4, (samples, 3)), axis=0), 1)
        values += np.where(random.random((samples, 3)) < 0.05, random.normal(0, 20, (samples, 3)), 0)
        start = samples // 3
        values[start : start + samples // 5, 1] = values[start, 1]
    values[random.random((samples, 3)) < 0.1] = np.nan
    values[samples // 2 : samples // 2 + 7, 2] = np.nan
    times = np.datetime64("2026-03-01", "ns") + np.arange(samples) * np.timedelta64(_MINUTE, "ns")
    coords: dict[str, object] = {"time": times, "asset": list("abc")}
    if test.scope == "observations":
        # Times jitter, and one of ten repeats the one before.
        jitter = np.where(random.random(samples) < 0.1, -_MINUTE, random.integers(0, _MINUTE, samples))
        coords["time"] = np.sort(times + jitter.astype("timedelta64[ns]"))
        coords["status"] = ("time", random.integers(0, 4, samples) << 30)
    return xr.DataArray(values, coords, ("time", "asset"), "example", attrs={"units": "1"})


def _run(test: QualityTest, values: xr.DataArray, options: Options) -> xr.DataArray:
    """Run a test; the other signals that it needs are the values, a little later."""
    others = {
        name: (values.roll(time=place + 1) - place).rename(name).assign_attrs(units="1")
        for place, name in enumerate(test.others(options))
    }
    return run_test(test, values, options, xr.Dataset(others) if test.scope == "asset" else None)


def _flags_of(test: QualityTest, options: Options, values: xr.DataArray) -> NDArray[np.uint8]:
    """Return a test's flags [time, asset] of values in memory."""
    given = values.copy(deep=True)
    found = _run(test, given, options)
    _check(given.identical(values), f"{test.name}: the function changed the values it was given; let it work on a copy")
    _check(
        found.dtype == np.uint8 and found.dims == values.dims and found.shape == values.shape,
        f"{test.name}: expected uint8 flags with {dict(values.sizes)}, got {found.dtype} with {dict(found.sizes)}",
    )
    flags: NDArray[np.uint8] = found.to_numpy()
    others = np.setdiff1d(flags, [flag.value for flag in Flag])
    _check(
        not others.size, f"{test.name}: expected flags out of {[flag.value for flag in Flag]}, got {others.tolist()}"
    )
    wrong = (flags == Flag.MISSING) != np.isnan(values.to_numpy())
    _check(
        not wrong.any(),
        f"{test.name}: expected flag 9 where a value is missing and nowhere else; {int(wrong.sum())} cells have it wrong",
    )
    return flags


def _check_alike(test: QualityTest, options: Options, values: xr.DataArray, flags: NDArray[np.uint8]) -> None:
    again = _flags_of(test, options, values)
    _check(bool((again == flags).all()), f"{test.name}: the same values got other flags the second time")
    for place in range(values.sizes["asset"] if test.scope != "type" else 0):
        alone = _flags_of(test, options, values.isel(asset=[place]))
        _check(
            bool((alone[:, 0] == flags[:, place]).all()),
            f"{test.name}: a series gets other flags alone than beside others; judge each series by itself",
        )


def _check_lazy(test: QualityTest, options: Options, values: xr.DataArray, flags: NDArray[np.uint8]) -> None:
    lazy = _run(test, values.chunk(time=max(1, values.sizes["time"] // 3), asset=2), options)
    _check(
        lazy.chunks is not None, f"{test.name}: a lazy array got flags in memory; compute nothing, or set lazy=False"
    )
    same = lazy.transpose(*values.dims).to_numpy() == flags
    _check(bool(same.all()), f"{test.name}: a lazy array gets other flags than the same array in memory")


def _check_reach(test: QualityTest, options: Options, values: xr.DataArray, reach: tuple[int, int]) -> None:
    flags = _flags_of(test, options, values)
    before, after = (-(-ns // _MINUTE) for ns in reach)
    size = values.sizes["time"]
    for start in range(0, size, max(1, size // 23)):
        stop = min(start + max(1, size // 40), size)
        low, high = max(0, start - before), min(size, stop + after)
        part = _flags_of(test, options, values.isel(time=slice(low, high)))[start - low : stop - low]
        _check(
            bool((part == flags[start:stop]).all()),
            f"{test.name}: flags change with samples further away than reach states ({reach[0] / 1e9:g} s before, "
            f"{reach[1] / 1e9:g} s after); let reach return more",
        )
