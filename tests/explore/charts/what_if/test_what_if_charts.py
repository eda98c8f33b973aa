"""Charts of what-if runs, on small arrays whose quantiles and differences are known."""

import holoviews as hv
import numpy as np
import pytest
import xarray as xr

from twinlab import simulate
from twinlab.explore.charts.what_if.bands import band_chart, quantile_table
from twinlab.explore.charts.what_if.difference_map import difference_map, mean_difference
from twinlab.explore.charts.what_if.differences import VERDICT_STYLES, difference_chart
from twinlab.explore.charts.what_if.network_map import LAYERS, fill_network, make_network_map, move_trips

TIMES = np.array(["2026-01-01T00", "2026-01-01T01", "2026-01-01T02"], "M8[ns]")


def waiting() -> xr.DataArray:
    """Waiting parcels: 0 … 100 in the base, 10 more in a storm; nobody knows what is at 02:00."""
    base = np.repeat(np.arange(101.0)[:, None], 3, axis=1)
    values = np.stack([base, base + 10])[..., None].repeat(2, axis=3)
    values[:, :, 2] = np.nan
    coords = {"scenario": ["base", "storm"], "replication": np.arange(101), "time": TIMES, "asset": ["oslo", "bergen"]}
    attrs = {"long_name": "Waiting parcels", "units": "1"}
    return xr.DataArray(values, coords, ("scenario", "replication", "time", "asset"), attrs=attrs)


def test_bands_are_quantiles_over_replications_and_a_time_without_values_is_a_gap():
    table = quantile_table(waiting().isel(asset=0))
    assert table[["scenario", "q5", "median", "q95", "replications"]].iloc[0].tolist() == ["base", 5.0, 50.0, 95.0, 101]
    assert table[["scenario", "q25", "median", "q75"]].iloc[4].tolist() == ["storm", 35.0, 60.0, 85.0]
    assert table["median"].isna().tolist() == [False, False, True] * 2


def test_a_scenario_is_two_bands_and_a_line_with_its_own_colour_and_dash():
    chart = band_chart(waiting().isel(asset=0))
    areas = chart.traverse(specs=[hv.Area])
    curves = [one for one in chart.traverse(specs=[hv.Curve]) if type(one) is hv.Curve]
    assert [one.label for one in curves] == ["base", "storm"]
    assert len(areas) == 4
    options = [hv.Store.lookup_options("bokeh", one, "style").kwargs for one in curves]
    assert options[0]["line_dash"] != options[1]["line_dash"]
    assert options[0]["color"] != options[1]["color"]
    assert chart.opts.get("plot").kwargs["show_legend"]
    hv.renderer("bokeh").get_plot(chart)


def test_every_verdict_has_its_own_mark_and_no_two_differ_in_colour_alone():
    assert len(set(VERDICT_STYLES.values())) == len(VERDICT_STYLES)
    assert VERDICT_STYLES["better"][1] != VERDICT_STYLES["worse"][1]


def test_a_difference_is_drawn_with_its_interval_and_verdict():
    numbers = np.arange(40)
    noise = np.random.default_rng(1).normal(size=(2, 40))
    late = xr.DataArray(
        10 + noise[0], {"replication": numbers}, ("replication",), attrs={"units": "min", "better": "lower"}
    )
    later = simulate.compare(late, late + 3 + 0.1 * noise[1], better="lower")
    same = simulate.compare(late, late + 0.1 * (noise[1] - noise[1].mean()), better="lower")
    assert (later.verdict, same.verdict) == ("worse", "can't tell")
    chart = difference_chart([later, same])
    marks = chart.traverse(specs=[hv.Scatter])
    assert [one["verdict"][0] for one in marks] == ["worse", "can't tell"]
    assert marks[0]["difference"][0] == pytest.approx(3, abs=0.2)
    assert marks[0]["low"][0] < marks[0]["difference"][0] < marks[0]["high"][0]
    hv.renderer("bokeh").get_plot(chart)


def test_the_map_of_differences_is_paired_symmetric_and_white_where_nothing_differs():
    signal = waiting().isel(time=slice(0, 2))
    assert mean_difference(signal, scenario="storm", base="base").to_numpy().tolist() == [[10.0, 10.0], [10.0, 10.0]]
    chart = difference_map(signal, scenario="storm", base="base")
    assert chart.opts.get("plot").kwargs["clim"] == (-10.0, 10.0)
    assert hv.Store.lookup_options("bokeh", chart, "style").kwargs["cmap"][15] == "#FFFFFF"
    same = difference_map(signal, scenario="base", base="base")
    assert same.opts.get("plot").kwargs["clim"] == (-1.0, 1.0)
    hv.renderer("bokeh").get_plot(same)


def test_a_map_updates_only_the_layers_that_it_is_given_and_says_when_trips_are_to_be():
    ends = {"x0": [0.0], "y0": [0.0], "x1": [1e5], "y1": [1e5]}
    hubs = {"x": [0.0, 1e5], "y": [0.0, 1e5], "size": [9, 9], "tip": ["a", "b"]}
    chart = make_network_map(
        {"links": ends, "targets": ends, "hubs": hubs},
        latitude=np.array([0.0, 0.9]), longitude=np.array([0.0, 0.9]), height=300, on_pick=lambda *_: None,
    )  # fmt: skip
    data = {one.name: one.data_source for one in chart.renderers if one.name in LAYERS}
    assert set(data) == set(LAYERS)
    before = data["links"].data
    fill_network(chart, {"hubs": {**hubs, "size": [30, 9]}, "trips": {"start": [0.0], "end": [9.0], **ends}})
    assert data["hubs"].data["size"] == [30, 9]
    assert data["links"].data is before
    assert data["trips"].data["end"] == [9.0]
    move_trips(chart, 5.0, duration=250)
    assert data["trips"].tags == [5.0, 250]
