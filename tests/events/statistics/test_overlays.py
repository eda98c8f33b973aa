"""Many events on a common clock, against a look-up of each cell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twinlab as tl
from tests.events.algebra.tables import Row, rows, table
from tests.events.statistics.test_per_event import CADENCE, CELLS, FIRST, example
from twinlab.events.statistics import overlays
from twinlab.testing import FakeTwin

UNIT = np.timedelta64(1, "m")


@settings(max_examples=30)
@given(
    st.lists(rows(), max_size=5),
    st.sampled_from(["start", "peak", "end"]),
    st.integers(0, 9),
    st.integers(1, 9),
    st.sampled_from([None, (7, 1), (20, 2)]),
)
def test_a_value_is_that_of_the_cell_in_which_zero_plus_offset_is(some, align, before, after, chunks) -> None:
    data = example(1)
    lazy = data if chunks is None else data.chunk({"time": chunks[0], "asset": chunks[1]})
    found = tl.events.overlay(lazy, table(some), "level", align=align, before=f"{before}min", after=f"{after}min")
    offsets = (found["offset"].values / UNIT).tolist()
    assert offsets == list(range(-2 * -(-before // 2), 2 * -(-after // 2), CADENCE))
    peaks = tl.events.event_statistics(data, table(some), "level")["peak"]
    zeros = {
        f"warm{n}": peaks.iloc[n] if align == "peak" else table(some)[align].iloc[n]
        for n, row in enumerate(some)
        if row.start is not None and (row.end is None or row.end >= row.start)
    }
    zeros = {event: zero for event, zero in zeros.items() if not pd.isna(zero)}
    assert set(found["event"].values.tolist()) == set(zeros)
    for event, zero in zeros.items():
        row = some[int(event[4:])]
        one = found.sel(event=event)
        assert one["zero"].values == zero.to_datetime64()
        for offset in range(len(offsets)):
            minute = (zero - pd.Timestamp("2026-03-01")) / pd.Timedelta(minutes=1) + offsets[offset]
            cell = int((minute - FIRST) // CADENCE)
            there = row.asset is not None and 0 <= cell < CELLS
            flag = int(data["level_qc"].isel(time=cell).sel(asset=row.asset)) if there else tl.Flag.MISSING
            assert int(one["level_qc"][offset]) == flag
            value = float(data["level"].isel(time=cell).sel(asset=row.asset)) if flag in (1, 2, 3) else np.nan
            np.testing.assert_equal(float(one["level"][offset]), value)


def test_by_default_the_longest_event_fits() -> None:
    some = table([Row("a", 0, 7), Row("b", 2, 4)])
    assert (tl.events.overlay(example(0), some, "level")["offset"].values / UNIT).tolist() == [0, 2, 4, 6]
    assert (tl.events.overlay(example(0), some, "level", align="end")["offset"].values / UNIT).tolist() == [
        -8,
        -6,
        -4,
        -2,
    ]
    peak = tl.events.overlay(example(0), some, "level", align="peak")
    assert (peak["offset"].values / UNIT).tolist() == list(range(-8, 8, 2))
    assert (
        peak["level"].sel(offset=np.timedelta64(0, "ns")).values.tolist()
        == tl.events.event_statistics(example(0), some, "level")["max"].tolist()
    )


def test_during_says_which_cells_are_in_the_event() -> None:
    some = table([Row("a", 1, 5), Row("b", 2, 2)])
    found = tl.events.overlay(example(0), some, "level", before="4min", after="8min")
    # The first event is in the cells from minute 0, 2 and 4, of which the first one is at zero.
    assert found["during"].values.astype(int).tolist() == [[0, 0, 1, 1, 1, 0], [0, 0, 1, 0, 0, 0]]


def test_an_overlay_of_a_twin_has_its_units_and_flags() -> None:
    twin = FakeTwin.example(days=2, trips=10)
    trips = twin.events("trip")
    found = tl.events.overlay(twin, trips, "temperature", asset="origin", before="30min", after="1h")
    assert found["temperature"].attrs["units"] == twin.model.asset_types["station"].signals["temperature"].unit
    assert found.sizes["offset"] == 90
    assert (found["asset"].values == trips.set_index("event_id").loc[found["event"].values, "origin"].values).all()


def test_no_events_and_too_many_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tl.events.overlay(example(0), table([]), "level").sizes["event"] == 0
    monkeypatch.setattr(overlays, "_MOST_CELLS", 9)
    with pytest.raises(tl.SchemaError, match="at most 9 cells, got 1 events x 10 cells; state before and after"):
        tl.events.overlay(example(0), table([Row("a", 0, 20)]), "level")
    with pytest.raises(tl.SchemaError, match="align to be 'start', 'peak' or 'end', got 'middle'"):
        tl.events.overlay(example(0), table([]), "level", align="middle")
