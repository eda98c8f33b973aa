"""The labelled functions: lazy equals eager, CF attributes, and errors that help."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab import quality
from twinlab.errors import SchemaError
from twinlab.model.twinmodel import Signal

STEP = np.timedelta64(1, "m")
GAUGE = Signal(resolution=0.5, sensor_span=(-9, 9), spike=(1, 3), max_rate=(0.02, 0.1), flat_line="5min", gap="3min")

TESTS: dict[str, Callable[[xr.DataArray], xr.DataArray]] = {
    "missing": quality.missing_flags,
    "range": lambda x: quality.range_flags(x, fail_span=(-9, 9), suspect_span=(-3, 3)),
    "state": lambda x: quality.state_flags(x, codes={0, 1, 2}),
    "spike": lambda x: quality.spike_flags(x, suspect=1, fail=3, within=3 * STEP),
    "rate": lambda x: quality.rate_flags(x, suspect=0.02, fail=0.1, within="4min"),
    "counter": lambda x: quality.counter_flags(x, wraps_at=10, within="4min"),
    "flat_line": lambda x: quality.flat_line_flags(x, duration="5min", within="3min", resolution=0.5),
    "gap": lambda x: quality.gap_flags(x, gap="2min"),
    "signal": lambda x: quality.signal_flags(x, signal=GAUGE),
}
every_test = pytest.mark.parametrize("test", TESTS.values(), ids=TESTS)


def table(*, steps: int = 60, irregular: bool = False, seed: int = 1) -> xr.DataArray:
    rng = np.random.default_rng(seed)
    values = rng.integers(-2, 3, (2, steps, 3)) / 2
    values[rng.random(values.shape) < 0.3] = np.nan
    values[rng.random(values.shape) < 0.05] = 20
    values[:, steps // 2 : steps // 2 + 12, 1] = 1
    minutes = np.cumsum(rng.integers(1, 4, steps)) if irregular else np.arange(steps)
    times = np.datetime64("2013-01-01", "ns") + minutes * STEP
    coords = {"site": ["a", "b"], "time": times, "asset": [1, 2, 3], "height": ("asset", [2.0, 2, 10], {"units": "m"})}
    attrs = {"units": "km/h", "valid_max": 3.0, "standard_name": "wind_speed"}
    return xr.DataArray(values, coords, ["site", "time", "asset"], name="wind", attrs=attrs)


@every_test
@settings(deadline=None, max_examples=15)
@given(chunk=st.integers(1, 60), irregular=st.booleans(), seed=st.integers(0, 9))
def test_lazy_flags_equal_eager_ones_for_any_chunks(
    test: Callable[[xr.DataArray], xr.DataArray], chunk: int, irregular: bool, seed: int
) -> None:
    data = table(irregular=irregular, seed=seed)
    eager, lazy = test(data), test(data.chunk(time=chunk, asset=2))
    assert eager.chunks is None
    assert lazy.chunks is not None
    assert lazy.dtype == np.uint8
    xr.testing.assert_identical(lazy.compute(scheduler="synchronous"), eager)


@every_test
def test_flags_keep_shape_and_labels_and_nothing_else_of_the_signal(
    test: Callable[[xr.DataArray], xr.DataArray],
) -> None:
    data = table()
    kept = data.copy(deep=True)
    flags = test(data)
    assert flags.dims == data.dims
    assert flags.dtype == np.uint8
    assert flags.name == "wind_qc"
    assert "units" not in flags.attrs
    assert "valid_max" not in flags.attrs
    assert flags.attrs["standard_name"].endswith("quality_flag")
    assert flags.attrs["flag_meanings"] == "pass not_evaluated suspect fail missing"
    assert flags.attrs["flag_values"].tolist() == [1, 2, 3, 4, 9]
    assert flags.coords["height"].attrs == {"units": "m"}
    xr.testing.assert_identical(data, kept)


def test_lazy_flags_read_nothing_until_they_are_computed() -> None:
    import dask.array as da

    def explode(block: np.ndarray) -> np.ndarray:
        msg = "read too early"
        raise RuntimeError(msg)

    eager = table()
    source = da.from_array(eager.values, chunks=(2, 20, 3)).map_blocks(explode, dtype=float, meta=np.empty((0, 0, 0)))
    lazy = eager.copy(data=source)
    flags = quality.aggregate_flags(*(test(lazy) for test in TESTS.values()))
    with pytest.raises(RuntimeError, match="too early"):
        flags.compute(scheduler="synchronous")


def test_the_single_tests_together_give_the_builds_flag() -> None:
    data = table()
    in_range = quality.range_flags(data, fail_span=(-9, 9))
    # Readings that no sensor can give take no part in the other tests.
    seen = data.where(in_range != 4)
    flags = [
        quality.spike_flags(seen, suspect=1, fail=3, within="4min"),
        quality.rate_flags(seen, suspect=0.02, fail=0.1, within="4min"),
        quality.flat_line_flags(seen, duration="5min", within="4min"),
    ]
    there = [flag.where(data.isnull() | (in_range != 4), 2).astype("uint8") for flag in flags]
    together = quality.aggregate_flags(in_range, quality.missing_flags(data), *there)
    xr.testing.assert_equal(together, quality.signal_flags(data, signal=GAUGE))


def test_history_and_the_labelled_function_give_the_same_flags() -> None:
    data = table().isel(site=0)
    np.testing.assert_array_equal(
        quality.signal_flags(data, signal=GAUGE).values, quality.flag_cells(data.values, signal=GAUGE)
    )


def test_aggregate_flags_have_the_signals_name_and_cf_attributes() -> None:
    data = table()
    flags = quality.aggregate_flags(quality.missing_flags(data), quality.gap_flags(data.chunk(), gap="2min"))
    assert flags.chunks is not None
    assert flags.name == "wind_qc"
    assert flags.attrs["long_name"] == "quality flag of wind"
    assert flags.attrs["standard_name"] == "aggregate_quality_flag"


def test_counts_add_up_to_all_cells() -> None:
    flags = TESTS["signal"](table())
    counts = quality.flag_counts(flags)
    assert list(counts) == ["pass", "not_evaluated", "suspect", "fail", "missing"]
    assert sum(counts.values()) == flags.size
    assert counts["missing"] == int(table().isnull().sum())
    assert quality.flag_counts(flags.chunk(time=7)) == counts


def hours(*values: float) -> xr.DataArray:
    return xr.DataArray(
        list(values), {"time": pd.date_range("2013", periods=len(values), freq="h")}, ["time"], name="x"
    )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda x: quality.range_flags(x, fail_span=(5, 1)), "fail_span"),
        (lambda x: quality.range_flags(x, fail_span=(np.nan, 1)), "fail_span"),
        (lambda x: quality.range_flags(x, fail_span=(0, 1), suspect_span=(0, 2)), "suspect_span"),
        (lambda x: quality.state_flags(x, codes=[]), "state codes"),
        (lambda x: quality.state_flags(x, codes=[-1]), "state codes"),
        (lambda x: quality.spike_flags(x, suspect=3, fail=1), "thresholds"),
        (lambda x: quality.spike_flags(x, suspect=1, fail=3, within="soon"), "within"),
        (lambda x: quality.rate_flags(x, suspect=np.nan, fail=1), "thresholds"),
        (lambda x: quality.counter_flags(x, wraps_at=0), "wraps_at"),
        (lambda x: quality.flat_line_flags(x, duration=np.timedelta64(0, "s")), "duration"),
        (lambda x: quality.flat_line_flags(x, duration=np.timedelta64("NaT", "ns")), "duration"),
        (lambda x: quality.flat_line_flags(x, duration="1h", resolution=0), "resolution"),
        (lambda x: quality.gap_flags(x, gap=3), "gap"),
        (lambda x: quality.gap_flags(x.rename(time="t"), gap="1h"), "'time'"),
        (lambda x: quality.gap_flags(x.drop_vars("time"), gap="1h"), "'time'"),
        (lambda x: quality.gap_flags(x.assign_coords(time=[1, 2, 3]), gap="1h"), "datetime64"),
        (lambda x: quality.gap_flags(x.isel(time=[0, 0, 1]), gap="1h"), "rising"),
        (lambda x: quality.missing_flags(x.astype(str)), "numbers"),
        (lambda x: quality.rate_flags(x.astype(complex), suspect=1, fail=2), "numbers"),
        (lambda _: quality.aggregate_flags(), "at least one"),
        (lambda x: quality.aggregate_flags(x), "uint8"),
        (lambda x: quality.aggregate_flags(x.astype("uint8")), "give the result"),
        (lambda x: quality.flag_counts(x), "give the result"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(
    call: Callable[[xr.DataArray], xr.DataArray], says: str
) -> None:
    with pytest.raises(SchemaError, match=says) as caught:
        call(hours(5, 6, 7))
    assert "expected" in str(caught.value)


def test_flags_on_different_times_are_not_aggregated() -> None:
    flags = quality.missing_flags(hours(1, 2, 3))
    with pytest.raises(SchemaError, match="same coordinates"):
        quality.aggregate_flags(flags, flags.isel(time=[0, 1]))


def test_integers_and_float32_are_judged_like_float64() -> None:
    wanted = quality.rate_flags(hours(1, 2, 9), suspect=1e-3, fail=1e-2)
    for kind in ("int16", "uint8", "float32"):
        xr.testing.assert_identical(quality.rate_flags(hours(1, 2, 9).astype(kind), suspect=1e-3, fail=1e-2), wanted)


def test_looking_at_the_room_loads_no_heavy_library() -> None:
    import subprocess
    import sys

    code = "import sys, twinlab.quality; sys.exit(any(m in sys.modules for m in ('numba', 'dask', 'pandas', 'xarray')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
