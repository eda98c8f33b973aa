"""Costs fitted to timings: exact ones are found again, noise becomes an interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.twin.scaling.costs import Timing, fit_cost, fit_costs

rates = st.floats(1e-9, 1e-3)
SIZES = ((1e5, 8.0), (1e6, 8.0), (4e5, 32.0), (1e5, 8.0))


def timings(once: float, cell: float, series: float) -> list[Timing]:
    return [
        Timing("scan", {"cells": cells, "series": number}, once + cell * cells + series * number, 0.0)
        for cells, number in SIZES
    ]


@given(st.floats(1e-3, 1), rates, rates)
def test_rates_without_noise_are_found_again(once: float, cell: float, series: float) -> None:
    found = fit_cost(timings(once, cell, series), ("cells", "series"))
    big = {"cells": 1e7, "series": 100.0}
    assert found.predict(big)[0] == pytest.approx(once + cell * 1e7 + series * 100, rel=1e-3)
    assert found.spread == pytest.approx(0.1, abs=1e-3)


@given(st.lists(st.floats(1e-4, 10), min_size=4, max_size=4), st.floats(1, 1e6))
def test_a_larger_size_never_costs_less(seconds: list[float], factor: float) -> None:
    measured = [
        Timing("scan", {"cells": cells, "series": number}, took, took)
        for (cells, number), took in zip(SIZES, seconds, strict=True)
    ]
    found = fit_cost(measured, ("cells", "series"))
    small, large = ({"cells": 1e6 * one, "series": 8.0 * one} for one in (1.0, factor))
    assert found.predict(small)[0] <= found.predict(large)[0]
    value, low, high = found.predict(large)
    assert 0 <= low <= value <= high


def test_noise_widens_the_interval() -> None:
    rng = np.random.default_rng(1)
    exact = timings(0.1, 1e-6, 1e-3) * 3
    noisy = [Timing(one.step, one.drivers, one.cpu * rng.uniform(0.6, 1.4), 0.0) for one in exact]
    assert fit_cost(noisy, ("cells", "series")).spread > 0.3 > fit_cost(exact, ("cells", "series")).spread


def test_steps_are_fitted_apart_and_one_without_timings_is_an_error() -> None:
    other = [Timing("ingest", {"rows": 1e6}, 0.5, 0.5), Timing("ingest", {"rows": 2e6}, 1.0, 1.0)]
    found = fit_costs([*timings(0.1, 1e-6, 0.0), *other])
    assert set(found) == {"scan", "ingest"}
    assert found["ingest"].predict({"rows": 4e6})[0] == pytest.approx(2.0)
    with pytest.raises(SchemaError, match="at least one timing"):
        fit_cost([], ("cells",))
