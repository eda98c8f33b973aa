"""Rows of a table as cells: combined as the history combines observations."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.history.layout.cells import cells_of_rows
from twinlab.model.signal import Signal

ORIGIN = int(pd.Timestamp("2026-03-01").value)
SECOND = 10**9
RULES = {"last": lambda seen: seen[-1], "mean": np.mean, "min": min, "max": max, "sum": sum}


@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.sampled_from("ab"), st.integers(-50, 50)),
        min_size=1,
        unique_by=lambda r: r[:2],
    ),
    st.sampled_from(sorted(RULES)),
)
def test_cells_are_combined_as_the_signal_states(given_rows: list[tuple[int, str, int]], rule: str) -> None:
    signal = Signal(unit="degC", resolution=0.1, cadence="1min", combine=rule)
    times, assets, values = zip(*given_rows, strict=True)
    rows = pd.DataFrame(
        {"time": pd.to_datetime(ORIGIN + np.array(times) * SECOND), "asset": assets, "temperature": values}
    )
    found = cells_of_rows(rows, {"temperature": signal}, origin_ns=ORIGIN).temperature
    by_cell = defaultdict(list)
    for time, asset, value in sorted(given_rows):
        by_cell[time // 60, asset].append(float(value))
    first, stop = -(-min(times) // 60), max(times) // 60
    assert found.sizes["time"] == max(0, stop - first)
    for at in range(found.sizes["time"]):
        assert found.time.values[at] == np.datetime64(ORIGIN + (first + at) * 60 * SECOND, "ns")
        for asset in found.asset.values:
            seen = by_cell.get((first + at, asset))
            value = found.isel(time=at).sel(asset=asset).item()
            assert np.isnan(value) if seen is None else value == pytest.approx(RULES[rule](seen))


def test_signals_have_one_cadence() -> None:
    signals = {name: Signal(unit="degC", resolution=0.1, cadence=name) for name in ("1min", "5min")}
    with pytest.raises(SchemaError, match="expected signals of one cadence"):
        cells_of_rows(pd.DataFrame({"time": [], "asset": []}), signals, origin_ns=0)
