"""Charts of event statistics: what is drawn, in both backends."""

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import twinlab as tl
from twinlab.explore.charts.events.bars import HATCHES
from twinlab.explore.charts.events.curves import overlay_curves
from twinlab.explore.charts.events.histogram import duration_bars
from twinlab.explore.charts.events.pareto import pareto_bars
from twinlab.explore.charts.events.windows import timeline_bars
from twinlab.testing import FakeTwin

BACKENDS = ["bokeh", "matplotlib"]


def table(count: int, kinds: int) -> pd.DataFrame:
    """Events of one minute, two minutes and so on, an hour after each other; the last one isn't over."""
    start = pd.Timestamp("2026-03-01") + pd.to_timedelta(np.arange(count), unit="h")
    end = pd.Series(start + pd.to_timedelta(np.arange(1, count + 1), unit="min"))
    end.iloc[-1:] = pd.NaT
    return pd.DataFrame({"asset": [f"r{n % kinds}" for n in range(count)], "start": start, "end": end})


def drawn(chart: hv.Overlay, backend: str) -> object:
    return hv.renderer(backend).get_plot(chart).state


def options(chart: hv.Overlay, backend: str = "bokeh") -> dict:
    return hv.Store.lookup_options(backend, chart, "plot").kwargs


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("weight", [None, "duration"])
def test_a_pareto_draws_all_weight_with_the_rest_as_one_bar(backend: str, weight: str | None) -> None:
    found = tl.events.pareto(table(60, 9), "asset", weight=weight)
    chart = pareto_bars(found, most=4, backend=backend)
    assert drawn(chart, backend) is not None
    (bars,) = chart.traverse(lambda one: one, [hv.Rectangles])
    lengths = bars.dimension_values("right")
    assert len(lengths) == 5
    np.testing.assert_allclose(lengths.sum(), 100)
    (line,) = chart.traverse(lambda one: one, [hv.Curve])
    np.testing.assert_allclose(line.dimension_values(0), np.cumsum(lengths))
    ticks = [text for _, text in options(chart, backend)["yticks"]]
    assert ticks[0].startswith(f"{found.index[0]}: ")
    assert ticks[-1].startswith("5 others: ")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_histogram_draws_each_event_and_those_not_over_apart(backend: str) -> None:
    found = tl.events.duration_histogram(table(60, 3), now="2026-03-04")
    chart = duration_bars(found, backend=backend)
    assert drawn(chart, backend) is not None
    parts = {one.label: one for one in chart.traverse(lambda one: one, [hv.Rectangles])}
    heights = {
        label: int((one.dimension_values("top") - one.dimension_values("bottom")).sum()) for label, one in parts.items()
    }
    assert heights == {"over": 59, "not over": 1}
    ticks = [text for _, text in options(chart, backend)["xticks"]]
    assert ticks[:4] == ["1 min", "2 min", "5 min", "10 min"]


def test_the_last_bin_may_have_no_upper_border() -> None:
    chart = duration_bars(tl.events.duration_histogram(table(60, 3), ["0s", "30min"]))
    assert [text for _, text in options(chart)["xticks"]] == ["0", "30 min"]
    spans = set(chart.traverse(lambda one: one, [hv.Rectangles])[0].dimension_values("span"))
    assert spans == {"0 to 30 min", "30 min or longer"}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("value", ["started", "active", "duration"])
@pytest.mark.parametrize("kinds", [None, 3, 20])
def test_a_timeline_stacks_all_events_and_joins_small_groups(backend: str, value: str, kinds: int | None) -> None:
    found = tl.events.timeline(table(60, kinds or 1), "6h", by="asset" if kinds else None)
    chart = timeline_bars(found, value, backend=backend)
    assert drawn(chart, backend) is not None
    parts = chart.traverse(lambda one: one, [hv.Rectangles])
    total = sum((one.dimension_values("top") - one.dimension_values("bottom")).sum() for one in parts)
    wanted = found[value].sum()
    np.testing.assert_allclose(total, wanted / pd.Timedelta(hours=1) if value == "duration" else wanted)
    assert len(parts) == min(kinds or 1, len(HATCHES))
    assert (kinds == 20) == any(one.label == "15 others" for one in parts)


def test_a_group_without_a_value_has_bars_and_a_printed_axis_has_dates() -> None:
    some = table(60, 2)
    some["asset"] = some["asset"].where(some["asset"] == "r1")
    chart = timeline_bars(tl.events.timeline(some, "6h", by="asset"), backend="matplotlib")
    axes = drawn(chart, "matplotlib").axes[0]
    assert {one.label for one in chart.traverse(lambda one: one, [hv.Rectangles])} == {"(no value)", "r1"}
    drawn_boxes = [one.get_extents() for part in axes.collections for one in part.get_paths()]
    low, high = axes.get_xlim()
    assert min(one.x0 for one in drawn_boxes) == low
    assert max(one.x1 for one in drawn_boxes) == high
    assert "Mar" in axes.xaxis.get_major_formatter().format_ticks(axes.get_xticks())[0] + "".join(
        one.get_text() for one in axes.get_xticklabels()
    )


def test_groups_differ_by_more_than_their_colour() -> None:
    chart = timeline_bars(tl.events.timeline(table(60, 6), "6h", by="asset"))
    glyphs = [one.glyph for one in drawn(chart, "bokeh").renderers]
    assert len({(one.fill_color, one.hatch_pattern) for one in glyphs}) == 6
    assert len({one.hatch_pattern for one in glyphs}) == 6


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_overlay_has_a_line_for_each_event_the_median_and_a_band(backend: str) -> None:
    twin = FakeTwin.example(days=2, trips=10)
    some = table(30, 1).assign(asset=twin.assets("station").index[0])
    some[["start", "end"]] += pd.Timestamp(twin.history("station")["time"].values[0]) - pd.Timestamp("2026-03-01")
    found = tl.events.overlay(twin, some, "temperature", on="station", before="30min", after="1h")
    chart = overlay_curves(found, limit=5.0, backend=backend)
    assert drawn(chart, backend) is not None
    lines = {one.label: one for one in chart.traverse(lambda one: one, [hv.Curve])}
    each = lines["an event"].dimension_values("value")
    # A gap after each event.
    assert len(each) == 30 * 91
    np.testing.assert_array_equal(each.reshape(30, 91)[:, :-1], found["temperature"].values)
    np.testing.assert_allclose(
        lines["median"].dimension_values("value"), np.nanmedian(found["temperature"].values, axis=0)
    )
    assert lines["median"].dimension_values("offset")[0] == -30
    assert options(chart, backend)["xlabel"] == "time since the start of the event (min)"
    (band,) = chart.traverse(lambda one: one, [hv.Area])
    assert (band.dimension_values("low") <= band.dimension_values("high")).all()


def test_of_many_events_only_as_many_lines_are_drawn_as_a_browser_draws() -> None:
    offset = (np.arange(100) * 3600 * 10**9).astype("timedelta64[ns]")
    data = xr.Dataset(
        {"level": (("event", "offset"), np.ones((5000, 100)))}, coords={"event": np.arange(5000), "offset": offset}
    )
    chart = overlay_curves(data)
    each = next(one for one in chart.traverse(lambda one: one, [hv.Curve]) if one.label == "an event")
    assert len(each) <= 20_000
    assert options(chart)["title"] == "5,000 events, lines of 198"
    assert options(chart)["xlabel"].endswith("(d)")


@pytest.mark.parametrize("backend", BACKENDS)
def test_without_events_a_chart_says_so(backend: str) -> None:
    none = table(0, 1)
    nothing = xr.Dataset(
        {"level": (("event", "offset"), np.empty((0, 3)))}, coords={"offset": np.arange(3).astype("timedelta64[m]")}
    )
    for chart, text in (
        (pareto_bars(tl.events.pareto(none, "asset"), backend=backend), "No events."),
        (duration_bars(tl.events.duration_histogram(none), backend=backend), "No events with a duration."),
        (timeline_bars(tl.events.timeline(none), backend=backend), "No events."),
        (overlay_curves(nothing, backend=backend), "No usable value during these events."),
    ):
        assert options(chart, backend)["title"] == text
        assert drawn(chart, backend) is not None


def test_an_unknown_value_is_refused() -> None:
    with pytest.raises(tl.SchemaError, match="expected value to be 'started', 'active' or 'duration', got 'count'"):
        timeline_bars(tl.events.timeline(table(3, 1)), "count")
