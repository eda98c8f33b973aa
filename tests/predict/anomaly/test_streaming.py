"""Rows scored as they come: any batches give the events of all rows together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.predict.anomaly import AnomalyModel, Hysteresis, advance, find_events, fit, start_stream
from twinlab.predict.anomaly.events import event_table
from twinlab.predict.anomaly.tracking import event_rows
from twinlab.predict.models import read_model, write_model

from .test_scoring import history

RULE = Hysteresis(begin=2, end=4)


@pytest.fixture(scope="module")
def model() -> AnomalyModel:
    """Learnt from oil that drifts, so that its level follows."""
    usual = history()
    usual["oil"][:] += 40 * np.linspace(0, 1, usual.sizes["time"])[:, None]
    found = fit(usual, delay=15)
    assert found.levels.share.any()
    return found


@pytest.fixture(scope="module")
def later() -> xr.Dataset:
    rows = history(160, seed=3, begin=600)
    rows["oil"][:] += 40
    for asset, first, last in ((0, 20, 60), (1, 30, 33), (2, 100, 160)):
        rows["power"][first:last, asset] += 4
    rows["flow"][25:28, 0] = np.nan
    for name in rows:
        rows[name][40:45, 0] = np.nan
    return rows


def streamed(model: AnomalyModel, rows: xr.Dataset, cuts: list[int], limits: list[tuple[int, float]]) -> pd.DataFrame:
    values = np.stack([rows[name].values for name in model.signals], axis=2)
    times = rows["time"].values.astype("M8[ns]").astype(np.int64)
    state, ended = start_stream(model, RULE), []
    bounds = [0, *sorted(cuts), len(times)]
    for low, high in zip(bounds, bounds[1:], strict=False):
        part, state = advance(model, values[low:high], times[low:high], state, RULE, limits=limits)
        ended += part
    return event_table(event_rows([*ended, *state.tracking.active], model.assets, model.signals))


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 160), max_size=12))
def test_batches_of_any_length_give_the_events_of_all_rows(
    model: AnomalyModel, later: xr.Dataset, cuts: list[int]
) -> None:
    whole = find_events(model.with_limit(1.2).score(later)[0], RULE)
    assert {"P0", "P2"} <= set(whole["asset"])
    assert whole["end"].isna().sum() == 1
    pd.testing.assert_frame_equal(streamed(model, later, cuts, [(0, 1.2)]), whole)


@settings(max_examples=10, deadline=None)
@given(cut=st.integers(1, 159))
def test_a_limit_applies_from_its_time_on_in_any_batches(model: AnomalyModel, later: xr.Dataset, cut: int) -> None:
    limits = [(0, 1.2), (int(later["time"].values[80].astype("M8[ns]").astype(np.int64)), 1e6)]
    one = streamed(model, later, [], limits)
    pd.testing.assert_frame_equal(streamed(model, later, [cut], limits), one)
    assert "P2" not in set(one["asset"])
    assert "P0" in set(one["asset"])


def test_a_limit_above_what_an_event_sustained_doesnt_find_it_and_one_at_it_does(
    model: AnomalyModel, later: xr.Dataset
) -> None:
    for event in streamed(model, later, [], [(0, 1.2)]).itertuples():
        height = float(event.sustained) * 1.2
        for limit, there in ((height * (1 - 1e-9), True), (height * (1 + 1e-9), False)):
            found = streamed(model, later, [50], [(0, limit)])
            mine = found[(found["asset"] == event.asset) & (found["start"] <= event.peak_time + pd.Timedelta("1h"))]
            span = mine[mine["end"].isna() | (mine["end"] > event.start)]
            assert bool(len(span)) is there


def test_a_state_that_was_stored_goes_on_with_the_same_bits(
    model: AnomalyModel, later: xr.Dataset, tmp_path: Path
) -> None:
    values = np.stack([later[name].values for name in model.signals], axis=2)
    times = later["time"].values.astype("M8[ns]").astype(np.int64)
    _, state = advance(model, values[:110], times[:110], start_stream(model, RULE), RULE, limits=[(0, 1.2)])
    assert state.tracking.active
    again = read_model(write_model(tmp_path / "state.model", state))
    one = advance(model, values[110:], times[110:], state, RULE, limits=[(0, 1.2)])
    two = advance(model, values[110:], times[110:], again, RULE, limits=[(0, 1.2)])
    assert one[0] == two[0]
    assert one[1].tracking.active == two[1].tracking.active
    np.testing.assert_array_equal(one[1].levels.newest, two[1].levels.newest)
    np.testing.assert_array_equal(one[1].levels.earlier, two[1].levels.earlier)
