"""Reading of a heat map and its rows, compared with the twin's own history."""

import numpy as np
import pytest

from twinlab.explore.charts.reading import Plan
from twinlab.explore.views.heatmap.reading import (
    MAX_BINS,
    HeatCells,
    HeatRequest,
    heat_dataset,
    heat_plan,
    measures,
    read_heat,
)
from twinlab.explore.views.heatmap.rows import SHARE_FLAGS, heat_rows, worst_flags
from twinlab.model.flags import FLAG_SEVERITY, Flag
from twinlab.testing import FakeTwin

FLAGS = tuple(Flag)
WINDOWS = {
    "everything": ("2026-01-01", "2026-03-02"),
    "a merged rollup": ("2026-01-03T05:07", "2026-02-14"),
    "merged samples": ("2026-01-18T20:00", "2026-01-20T03:13"),
    "single samples": ("2026-01-18T23:00", "2026-01-19T02:00"),
}


@pytest.fixture(scope="module")
def twin():
    return FakeTwin.example(days=60, trips=20)


def asked(signal, window, measure, **other):
    return HeatRequest("station", signal, tuple(np.datetime64(t, "ns") for t in window), measure, **other)


def made(value, counts, *, measure="mean"):
    """Cells of a few assets in bins of an hour."""
    value, counts = np.array(value, float), np.array(counts, "int32")
    time = np.datetime64("2026-01-01", "ns") + np.arange(value.shape[1]) * np.timedelta64(3600 * 10**9, "ns")
    request = HeatRequest("room", "t", (time[0], time[-1] + np.timedelta64(1, "h")), measure)
    names = tuple(f"a{i}" for i in range(len(value)))
    return HeatCells(request, Plan("1h", 1, 3600 * 10**9), time, names, value, counts, unit="°C")


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize(
    ("signal", "measure"),
    [("temperature", "mean"), ("temperature", "min"), ("wind_speed", "max"), ("fan", "running")],
)
def test_cells_are_what_the_history_says(twin, signal, measure, window):
    request = asked(signal, window, measure)
    cells = read_heat(twin, request)
    data = heat_dataset(twin, request, cells.plan)
    inside = np.isin(cells.time, data.time.values)
    assert len(cells.time) <= MAX_BINS + 1
    assert np.isnan(cells.value[:, ~inside]).all()
    assert not cells.counts[:, :, ~inside].any()
    if f"{signal}_qc" in data:
        flags = data[f"{signal}_qc"].values
        value = np.where(np.isin(flags, (Flag.PASS, Flag.SUSPECT)), data[signal].values, np.nan)
        value = np.where(np.isnan(value), np.nan, 100.0 * (value == 1)) if signal == "fan" else value
        counts = np.stack([flags == flag for flag in FLAGS])
    else:
        counts = np.stack([data[f"{signal}_{flag.name.lower()}"].values for flag in FLAGS])
        share = data.get(f"{signal}_share")
        value = data[f"{signal}_{measure}"].values if share is None else 100 * share.sel(fan_state=measure).values
        value = np.where(counts[0] + counts[2] > 0, value, np.nan)
    np.testing.assert_allclose(cells.value[:, inside], value.T, rtol=1e-12, atol=1e-9)
    np.testing.assert_array_equal(cells.counts[:, :, inside], counts.transpose(0, 2, 1))


def test_zooming_goes_from_rollups_to_samples_with_bins_enough(twin):
    titles = {name: heat_plan(twin, asked("temperature", window, "mean")).title for name, window in WINDOWS.items()}
    assert titles == {
        "everything": "4 h rollup",
        "a merged rollup": "4 h rollup",
        "merged samples": "4 min bins of raw samples",
        "single samples": "raw samples, 1 min",
    }


def test_bins_outside_the_history_hold_nothing(twin):
    cells = read_heat(twin, asked("temperature", ("2025-12-31T22:00", "2026-01-01T01:00"), "mean"))
    assert len(cells.time) == 180
    assert np.isnan(cells.value[:, :120]).all()
    assert np.isfinite(cells.value[:, 120:]).all()


def test_only_the_assets_asked_for_are_read(twin):
    cells = read_heat(twin, asked("temperature", WINDOWS["everything"], "mean", assets=("WEST", "EAST")))
    assert cells.assets == ("WEST", "EAST")


def test_each_kind_of_signal_has_measures_of_its_own(twin):
    signals = twin.model.asset_types["station"].signals
    assert list(measures(signals["temperature"]).values()) == ["mean", "min", "max"]
    assert list(measures(signals["fan"]).values()) == ["running", "off"]


def test_the_worst_flag_of_a_cell_follows_the_order_of_severity():
    for place, flag in enumerate(FLAG_SEVERITY):
        counts = np.array([[[int(f in FLAG_SEVERITY[place:])]] for f in FLAGS])
        assert worst_flags(counts).tolist() == [[flag]]


def test_assets_in_one_row_keep_their_worst_flag_their_largest_share_and_the_mean_of_their_samples():
    # Three assets, one bin: 10 samples pass; 30 pass; 4 pass, 1 failed and 5 are missing.
    counts = np.zeros((5, 3, 1), int)
    counts[FLAGS.index(Flag.PASS), :, 0] = 10, 30, 4
    counts[FLAGS.index(Flag.FAIL), 2] = 1
    counts[FLAGS.index(Flag.MISSING), 2] = 5
    cells = made([[1.0], [2.0], [10.0]], counts)
    rows = heat_rows(cells, groups=dict.fromkeys(cells.assets, "hall"), share=SHARE_FLAGS["not_pass"])
    assert rows.labels == ("hall (3)",)
    assert rows.members == (("a0", "a1", "a2"),)
    assert rows.value[0, 0] == pytest.approx((10 * 1 + 30 * 2 + 4 * 10) / 44)
    assert rows.worst.tolist() == [[Flag.FAIL]]
    assert rows.share.tolist() == [[60.0]]
    assert rows.totals[Flag.PASS] == 44
    assert "mean of their values, worst flag, largest share" in rows.grouped


@pytest.mark.parametrize(("measure", "best"), [("min", 1.0), ("max", 10.0)])
def test_rows_of_several_assets_keep_extremes_and_pass_over_what_is_missing(measure, best):
    counts = np.zeros((5, 4, 1), int)
    counts[0] = 1
    cells = made([[1.0], [2.0], [10.0], [np.nan]], counts, measure=measure)
    rows = heat_rows(cells, max_rows=1)
    assert rows.value.tolist() == [[best]]
    assert rows.labels == ("a0 … a3",)
    assert rows.grouped.startswith("4 rows drawn in 1 of 4")


def test_more_assets_than_rows_lose_no_judged_sample():
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 2, (5, 1003, 7)) * (rng.random((5, 1003, 7)) < 0.01)
    rows = heat_rows(made(rng.normal(size=(1003, 7)), counts), max_rows=400)
    assert len(rows.labels) == 335
    assert sorted(a for part in rows.members for a in part) == sorted(rows.cells.assets)
    assert list(rows.totals.values()) == counts.sum(axis=(1, 2)).tolist()
    for flag in FLAGS[1:]:
        assert (rows.worst == flag).sum() <= (counts[FLAGS.index(flag)] > 0).sum()


def test_rows_are_ordered_by_value_or_with_the_worst_first():
    counts = np.zeros((5, 4, 2), int)
    counts[0] = 5
    counts[FLAGS.index(Flag.SUSPECT), 0] = 9
    counts[FLAGS.index(Flag.MISSING), 1] = 2
    counts[FLAGS.index(Flag.FAIL), 3, 1] = 1
    cells = made([[1.0, 1], [4, 5], [np.nan, np.nan], [2, 2]], counts)
    assert heat_rows(cells, order="worst").labels == ("a3", "a1", "a0", "a2")
    assert heat_rows(cells, order="value").labels == ("a1", "a3", "a0", "a2")
    assert heat_rows(cells, labels={"a0": "Room"}).labels[0] == "Room"
