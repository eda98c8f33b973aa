"""The errors of KPIs that a plan predicts are those that applying it gives."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.demos import ParcelSize
from twinlab.history.layout.grid import DAY_NS
from twinlab.history.store.opening import open_history
from twinlab.model import parse_model
from twinlab.model.basics import parse_duration
from twinlab.twin.retention.applying import cut_of, data_span
from twinlab.twin.retention.kpi_errors import KpiValues, kpi_errors, kpis_of_gauges, largest

PRICES = "\nstorage: {price: 0.02 EUR/GB/month, archive_price: 0.002 EUR/GB/month}\n"
KPIS = """
kpis:
  warm: {on: room, formula: time_share(temperature > 8 degC), unit: "%"}
  mean: {on: room, formula: time_mean(temperature)}
  hourly: {on: room, formula: time_share(humidity > 60 %), period: 1h}
  highest: {on: room, formula: time_max(humidity)}
  peak: {on: room, formula: time_max(temperature), period: 1h}
  swing: {on: room, formula: time_max(humidity) - time_min(humidity), period: 1h}
  warmer: {on: room, formula: time_max(temperature + 1 K)}
  opened: {on: room, formula: time_share(door == open), unit: "%"}
  monthly: {on: room, formula: time_share(humidity > 50 %), period: 30d}
  visits: {on: visit, formula: count(visit)}
"""


def _apply(folder: Path, tmp_path: Path, more: str, keep: list[str], way: str) -> tuple[tl.Twin, tl.Twin, pd.DataFrame]:
    """Return a twin before and after applying a way, and the plan's table of its KPIs."""
    after = Path(shutil.copytree(folder, tmp_path / "after"))
    (after / "twin.yaml").write_text((after / "twin.yaml").read_text(encoding="utf-8") + more, encoding="utf-8")
    before = tl.open(shutil.copytree(after, tmp_path / "before"))
    twin = tl.open(after)
    plan = twin.plan_retention("20 EUR/month", keep=keep)  # type: ignore[arg-type]
    assert plan.unmeasured == ()
    assert "KPIs not measured" not in str(plan)
    row = plan.table.query(way).iloc[0]
    assert row["kpi"] in str(plan.choose(int(row.name)))
    plan.choose(int(row.name)).propose().approve()
    twin.apply_retention(author="dora")
    return before, tl.open(after), plan.kpis.query("older == @row.older and resolution == @row.resolution")


def _found(before: tl.Twin, after: tl.Twin, name: str, cut_ns: int) -> tuple[float, float]:
    """Return the mean error of all windows before the cut, and the share of them that has no value any more."""
    since = -(-data_span(open_history(before.folder / "history"))[0] // DAY_NS) * DAY_NS
    period = parse_duration(before.model.kpis[name].period)
    stop = since + (cut_ns - since) // period * period
    span = {"start": np.datetime64(since, "ns"), "stop": np.datetime64(stop, "ns")}
    was, now = (one.kpi(name, **span)["value"].values for one in (before, after))  # type: ignore[arg-type]
    known = np.isfinite(was)
    return float(np.nanmean(abs(was - now))), float((known & ~np.isfinite(now)).sum() / known.sum())


@pytest.mark.parametrize("way", ["older == 'rollups'", "older == 'rounded' and resolution == 16"])
def test_errors_of_the_parcel_twin_are_as_predicted(tmp_path: Path, way: str) -> None:
    demo = tl.demo("parcel", size=ParcelSize.small()).folder
    before, after, kpis = _apply(demo, tmp_path, PRICES, ["events", "flagged"], f"full_rate == '7d' and {way}")
    assert list(kpis["kpi"]) == ["cold_chain", "mean_kinetic_temperature"]
    cut = cut_of(open_history(before.folder / "history"), 7 * DAY_NS)
    for one in kpis.itertuples():
        error, lost = _found(before, after, one.kpi, cut)
        assert one.low - 1e-9 <= error <= one.high + 1e-9
        assert lost == one.lost
    # What can't change doesn't.
    for name in set(before.model.kpis) - set(kpis["kpi"]):
        np.testing.assert_array_equal(before.kpi(name)["value"], after.kpi(name)["value"])


def test_the_interval_covers_windows_that_were_not_sampled(built: Path, tmp_path: Path) -> None:
    before, after, kpis = _apply(
        built, tmp_path, KPIS, [], "full_rate == '7d' and older == 'rounded' and resolution == 16"
    )
    # The rollups before the cut say all of "mean"; of "monthly" there is one window.
    assert list(kpis["kpi"]) == ["warm", "mean", "hourly", "highest", "peak", "swing", "warmer", "monthly"]
    windows = kpis.set_index("kpi")["windows"]
    assert windows[["warm", "mean", "monthly"]].tolist() == [16, 16, 1]
    # All rooms are off for some hours.
    assert 16 * 23 < windows["hourly"] < 16 * 24
    cut = cut_of(open_history(before.folder / "history"), 7 * DAY_NS)
    for one in kpis.itertuples():
        error, lost = _found(before, after, one.kpi, cut)
        assert one.low - 1e-9 <= error <= one.high + 1e-9, one.kpi
        assert lost == one.lost == 0
    errors = kpis.set_index("kpi")["error"]
    assert (errors[["hourly", "peak", "swing", "warmer"]] > 0).all()
    # Its rollups are stored.
    assert errors["highest"] == 0


def test_extremes_that_are_lost_or_stay_are_those_that_applying_gives(built: Path, tmp_path: Path) -> None:
    some = "\n".join(line for line in KPIS.splitlines() if "time_max" in line or line == "kpis:")
    before, after, kpis = _apply(
        built, tmp_path, f"\n{some}\n", ["events", "flagged"], "full_rate == '7d' and older == 'rollups'"
    )
    cut = cut_of(open_history(before.folder / "history"), 7 * DAY_NS)
    found = kpis.set_index("kpi")
    assert found["error"]["highest"] == found["lost"]["highest"] == 0
    for name in ("peak", "swing", "warmer"):
        error, lost = _found(before, after, name, cut)
        one = found.loc[name]
        # All days before the cut are measured.
        assert lost == pytest.approx(one["lost"], abs=1e-9), name
        assert error == pytest.approx(one["error"]), name
        assert one["low"] <= error <= one["high"]
    assert found["error"]["warmer"] > 0
    assert found["lost"]["peak"] > 0.2


def test_a_kpi_without_any_window_left_has_no_error_and_ranks_worst(built: Path, tmp_path: Path) -> None:
    before, after, kpis = _apply(built, tmp_path, KPIS, [], "full_rate == '7d' and older == 'rollups'")
    found = kpis.set_index("kpi")
    assert found["lost"].to_dict()["warm"] == 1
    assert np.isnan(found["error"]["warm"])
    cut = cut_of(open_history(before.folder / "history"), 7 * DAY_NS)
    with pytest.warns(RuntimeWarning, match="empty"):
        assert _found(before, after, "warm", cut)[1] == 1


def test_the_largest_error_is_of_the_kpi_with_most_windows_lost_then_relative_to_its_size() -> None:
    whole = {name: KpiValues("1", np.array([[1.0], [size], [np.nan]])) for name, size in (("a", 3.0), ("b", 299.0))}
    shifted = {name: KpiValues("1", one.values + 0.5) for name, one in whole.items()}
    errors = kpi_errors(whole, shifted)
    assert [(one.error.mean, one.relative, one.lost, one.windows) for one in errors] == [
        (0.5, 0.25, 0, 2),
        (0.5, 1 / 300, 0, 2),
    ]
    assert largest(errors) == errors[0]
    shifted["b"].values[0] = np.nan
    assert largest(kpi_errors(whole, shifted)).name == "b"  # type: ignore[union-attr]
    assert largest([]) is None


def test_only_kpis_of_gauges_can_change(built: Path) -> None:
    model = parse_model((built / "twin.yaml").read_text(encoding="utf-8") + KPIS)
    assert kpis_of_gauges(model) == ["warm", "mean", "hourly", "highest", "peak", "swing", "warmer", "monthly"]
