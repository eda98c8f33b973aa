"""What a twin takes in: exact counts from assets, signals, cadences and the layout."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.load import parse_model
from twinlab.model.questions import Question
from twinlab.twin.scaling.workload import Stream, Workload, checked_factor, workload_of

MODEL = """
twin: fleet
asset_types:
  truck: {signals: {speed: {unit: km/h, resolution: 0.1, cadence: 1s}, load: {unit: kg, resolution: 1, cadence: 1min}}}
  depot: {}
"""
streams = st.builds(
    Stream,
    st.just("truck"),
    st.sampled_from([10**9, 60 * 10**9, 3600 * 10**9]),
    st.integers(1, 20),
    st.integers(1, 5000),
)


def test_rates_follow_from_assets_signals_and_cadences() -> None:
    found = workload_of(parse_model(MODEL), {"truck": 10}, rows_per_cell=0.5)
    assert (found.assets, found.series) == (10, 20)
    assert found.cells_a_day == 10 * (86_400 + 1440)
    assert found.rows_a_day == found.cells_a_day / 2
    assert found.shortest_cadence_s == 1.0


@given(streams, st.floats(1, 1000), st.floats(1, 20), st.integers(1, 800))
def test_all_counts_grow_with_the_factor(stream: Stream, factor: float, more: float, days: int) -> None:
    small, large = Workload((stream,)).scaled(factor), Workload((stream,)).scaled(factor * more)
    for name in ("assets", "series", "cells_a_day", "rows_a_day"):
        assert getattr(small, name) <= getattr(large, name)
    assert small.objects(days) <= large.objects(days)
    assert small.tiles(days) <= large.tiles(days)
    assert all(small.drivers(days)[key] <= large.drivers(days)[key] for key in small.drivers(days))


@given(streams, st.integers(1, 400))
def test_tiles_cover_all_cells(stream: Stream, days: int) -> None:
    cells = math.ceil(stream.cells_a_day * days)
    assert stream.tiles(days) * 2**15 >= cells


def test_objects_are_about_those_that_a_fleet_has() -> None:
    # tests/benchmarks/scaling_run.py: 192 trucks, 145 days, 645 objects.
    assert 0.8 < Stream("truck", 60 * 10**9, 5, 192).objects(145) / 645 < 1.25


@pytest.mark.parametrize("factor", [0, 0.5, -1, math.nan, math.inf, "10", None, True])
def test_a_factor_is_a_number_of_at_least_one(factor: object) -> None:
    with pytest.raises(SchemaError, match="expected a factor of at least 1"):
        checked_factor(factor)


def test_what_is_not_known_is_asked_for() -> None:
    model = parse_model(MODEL)
    asked = (Question("twin.yaml", "asset_types.truck.signals.speed.cadence", "How often?"),)
    with pytest.raises(SchemaError, match=r"1 aren't known \(twin.yaml: asset_types.truck.signals.speed.cadence\)"):
        workload_of(model, {"truck": 1}, questions=asked)
    with pytest.raises(SchemaError, match="--assets truck=100"):
        workload_of(model, {})
    with pytest.raises(SchemaError, match="has none; events alone"):
        workload_of(parse_model("{twin: a, asset_types: {depot: {}}}"), {"depot": 3})
    with pytest.raises(UnknownTermError, match="no asset type 'trucks'"):
        workload_of(model, {}, given={"trucks": 3})
    with pytest.raises(SchemaError, match="of at least 1, got 0"):
        workload_of(model, {}, given={"truck": 0})
