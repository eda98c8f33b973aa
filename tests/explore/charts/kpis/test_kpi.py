"""The chart of a KPI: what isn't known can be seen."""

from __future__ import annotations

import holoviews as hv
import numpy as np
import xarray as xr

from twinlab.explore.charts.kpis.kpi import kpi_chart


def dataset(coverage: list[float], *, high: float = 100.0, groups: int = 0) -> xr.Dataset:
    time = np.datetime64("2026-03-02", "ns") + np.arange(len(coverage)) * np.timedelta64(1, "D")
    known = np.array(coverage)
    value = np.where(known > 0, 90.0, np.nan)
    numbers = {
        "value": value,
        "low": 90 * known,
        "high": np.where(known < 1, high, 90.0),
        "coverage": known,
        "samples": np.round(96 * known).astype(int),
    }
    attrs = {
        "title": "Compliance",
        "units": "%",
        "every": "1d",
        "target": ">= 95 %",
        "target_value": 95.0,
        "target_operator": ">=",
    }
    coords: dict[str, object] = {"time": time}
    if groups:
        coords["hub"] = [f"H{n}" for n in range(groups)]
        numbers = {name: np.repeat(one[:, None], groups, axis=1) for name, one in numbers.items()}
    dims = ("time", "hub") if groups else ("time",)
    found = {name: (dims, one) for name, one in numbers.items()}
    return xr.Dataset({**found, "settled_until": ((), time[-1])}, coords, attrs)


def test_the_line_of_the_value_is_as_wide_as_the_share_that_is_known_and_the_box_as_high_as_the_bounds():
    settled, open_, values, target = list(kpi_chart(dataset([1.0, 0.5, 0.0, 1.0])))
    width = (values.dimension_values("to") - values.dimension_values("from")) / np.timedelta64(1, "D")
    np.testing.assert_allclose(width, [1.0, 0.5, 1.0])
    np.testing.assert_allclose(settled.dimension_values("top") - settled.dimension_values("bottom"), [0, 55, 100])
    # The last window isn't settled.
    assert len(open_) == 1
    assert target.dimension_values("value").tolist() == [95, 95]


def test_a_bound_that_is_infinite_is_drawn_to_the_end_of_the_axis():
    chart = kpi_chart(dataset([1.0, 0.5], high=np.inf))
    limits = hv.Store.lookup_options("bokeh", chart, "plot").kwargs["ylim"]
    assert list(chart)[1].dimension_values("top").max() <= limits[1] < 200
    assert hv.renderer("bokeh").get_plot(chart) is not None


def test_groups_have_a_chart_each_on_one_axis_and_the_title_says_what_is_not_drawn():
    layout = kpi_chart(dataset([1.0, 0.5], groups=14))
    assert len(layout) == 12
    assert len({hv.Store.lookup_options("bokeh", one, "plot").kwargs["ylim"] for one in layout}) == 1
    assert "2 more aren't drawn" in hv.Store.lookup_options("bokeh", layout, "plot").kwargs["title"]


def test_a_kpi_without_any_value_can_be_drawn():
    empty = dataset([0.0, 0.0])
    assert hv.renderer("bokeh").get_plot(kpi_chart(empty)) is not None
    nothing = empty.assign(dict.fromkeys(("low", "high"), empty.value * np.nan))
    assert hv.renderer("bokeh").get_plot(kpi_chart(nothing)) is not None
