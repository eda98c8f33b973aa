"""Plots: gaps stay gaps, flags have shapes, and one absurd sample flattens nothing."""

import holoviews as hv
import numpy as np
import pytest
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.explore import band_curve, signal_curve
from twinlab.explore.charts.layers import layers, y_extent
from twinlab.explore.charts.palette import ASSET_STYLES, FLAG_STYLES
from twinlab.explore.charts.traces import raw_traces, rollup_traces
from twinlab.model.flags import Flag
from twinlab.testing import FakeTwin

TIME = np.datetime64("2026-01-01", "ns") + np.arange(8) * np.timedelta64(60, "s")
VALUES = xr.DataArray(
    [5.0, 6.0, np.nan, np.nan, 5.5, 1048.0, 6.0, 5.0],
    coords={"time": TIME},
    name="wind_speed",
    attrs={"units": "mph", "long_name": "wind speed"},
)
FLAGS = xr.DataArray(np.array([1, 3, 9, 2, 1, 4, 1, 1], "uint8"), coords={"time": TIME}, name="wind_speed_qc")


def part(plot, kind, label=None):
    return next(e for e in plot if isinstance(e, kind) and (label is None or e.label == label))


def test_a_gap_in_the_data_is_a_gap_in_the_curve():
    curve = part(signal_curve(VALUES, flags=FLAGS), hv.Curve)
    assert np.isnan(curve.dimension_values("value")[[2, 3]]).all()


def test_missing_has_a_span_and_not_evaluated_has_none():
    spans = part(signal_curve(VALUES, flags=FLAGS), hv.Rectangles, "missing")
    assert len(spans) == 1
    assert spans.dimension_values(0)[0] == TIME[2]
    assert spans.dimension_values("x1")[0] == TIME[3]


def test_a_failed_sample_leaves_the_curve_and_stands_as_a_mark_with_its_value():
    plot = signal_curve(VALUES, flags=FLAGS)
    assert np.isnan(part(plot, hv.Curve).dimension_values("value")[5])
    fail = part(plot, hv.Scatter, "fail")
    assert fail.dimension_values("written").tolist() == [1048.0]
    assert part(plot, hv.Labels).dimension_values("text")[0].strip() == "1,048"


def test_one_absurd_sample_does_not_flatten_the_chart():
    low, high = y_extent(raw_traces(VALUES, FLAGS))
    assert 4 < low < 5
    assert 6 < high < 7
    fail = part(signal_curve(VALUES, flags=FLAGS), hv.Scatter, "fail")
    assert low < fail.dimension_values("at")[0] < high


def test_the_whole_range_is_shown_when_asked_for():
    assert y_extent(raw_traces(VALUES, FLAGS), full_range=True)[1] > 1048


def test_without_flags_every_sample_counts():
    assert y_extent(raw_traces(VALUES, None))[1] > 1048


def test_the_axes_are_named_with_unit_and_zone():
    options = signal_curve(VALUES, flags=FLAGS).opts.get("plot", backend="bokeh").kwargs
    assert options["ylabel"] == "wind speed (mph)"
    assert options["xlabel"] == "time (UTC)"


def test_no_two_flags_and_no_two_assets_differ_by_colour_alone():
    assert len({style.marker for style in FLAG_STYLES.values()}) == len(FLAG_STYLES)
    assert len({style.dash for style in ASSET_STYLES[:5]}) == 5


def test_flags_of_another_shape_are_refused():
    with pytest.raises(SchemaError, match="shape"):
        signal_curve(VALUES, flags=FLAGS.isel(time=slice(3)))


def test_an_unknown_dimension_is_refused():
    with pytest.raises(SchemaError, match="dims 'time'"):
        signal_curve(VALUES.rename(time="when"))


def test_a_rollup_draws_its_mean_in_its_band():
    data = FakeTwin.example(days=3, trips=5).history("station", signals=["temperature"], assets=["EAST"], step="1h")
    plot = band_curve(data, "temperature")
    low, mean, high = (part(plot, hv.Curve, "EAST").dimension_values(name) for name in ("low", "value", "high"))
    some = ~np.isnan(mean)
    assert (low[some] <= mean[some]).all()
    assert (mean[some] <= high[some]).all()
    assert len(part(plot, hv.Area)) == len(data.time)


def test_a_state_rolls_up_to_shares_of_time():
    data = FakeTwin.example(days=3, trips=5).history("station", signals=["fan"], assets=["EAST"], step="1h")
    (trace,) = rollup_traces(data, "fan")
    assert trace.label == "EAST: running"
    assert np.nanmin(trace.value) >= 0
    assert np.nanmax(trace.value) == 100


def test_a_dataset_without_the_rollup_is_refused():
    with pytest.raises(SchemaError, match="speed_mean"):
        band_curve(xr.Dataset(coords={"time": TIME, "asset": ["a"]}), "speed")


def test_an_array_of_nothing_draws_an_empty_chart():
    assert signal_curve(VALUES.isel(time=slice(0))) is not None


def test_layers_without_slots_leave_out_what_is_empty():
    kinds = [layer.kind for layer in layers(raw_traces(VALUES.fillna(5.0), None), extent=(0, 1), show_flags=False)]
    assert kinds == ["Curve", "Scatter"]


def test_lonely_samples_are_dots():
    sparse = VALUES.where(np.arange(8) % 2 == 0)
    assert len(part(signal_curve(sparse), hv.Scatter)) == int(np.isfinite(sparse.values).sum())


def test_flag_numbers_are_the_standards():
    assert {flag.value for flag in FLAG_STYLES} == {Flag.SUSPECT, Flag.FAIL, Flag.MISSING}


def test_a_hole_no_longer_than_the_signals_gap_breaks_the_curve_and_is_not_called_missing():
    from twinlab.explore.charts.traces import without_short_gaps

    time = np.datetime64("2026-01-01", "ns") + np.arange(40) * np.timedelta64(5, "m")
    sparse = np.where(np.arange(40) % 12 == 0, 1.0, np.nan)
    flags = np.where(np.isnan(sparse), Flag.MISSING, Flag.PASS).astype("uint8")
    values = xr.DataArray(sparse, {"time": time}, "time", name="speed")
    whole = raw_traces(values, xr.DataArray(flags, {"time": time}, "time"))
    assert len(whole[0].missing) == 4
    assert len(without_short_gaps(whole, np.timedelta64(2, "h"))[0].missing) == 0
    assert len(without_short_gaps(whole, np.timedelta64(20, "m"))[0].missing) == 3
