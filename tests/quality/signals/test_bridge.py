"""Values between two bad ones."""

from __future__ import annotations

import numpy as np
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.quality import bridge_flags

SECOND = np.timedelta64(1, "s")


def _slow(flags: np.ndarray, seconds: np.ndarray, gap: int) -> list[int]:
    bad = [place for place, flag in enumerate(flags) if flag in {3, 4}]
    out = flags.tolist()
    for place, flag in enumerate(flags):
        before = [seconds[one] for one in bad if one < place]
        after = [seconds[one] for one in bad if one > place]
        if flag in {1, 2} and before and after and min(after) - max(before) <= gap:
            out[place] = 3
    return out


@settings(max_examples=80, deadline=None)
@given(
    flags=st.lists(st.sampled_from([1, 1, 1, 2, 3, 4, 9]), min_size=1, max_size=40),
    gap=st.integers(1, 12),
    seed=st.integers(0, 99),
)
def test_what_is_between_two_bad_values_that_are_near_is_suspect(flags: list[int], gap: int, seed: int) -> None:
    seconds = np.cumsum(np.random.default_rng(seed).integers(1, 5, len(flags)))
    table = np.array([flags, flags[::-1]], np.uint8).T
    times = {"time": np.datetime64("2026-01-01", "ns") + seconds * SECOND}
    array = xr.DataArray(table, times, ("time", "asset"), "t_qc", {"flag_values": [1, 2, 3, 4, 9]})
    found = bridge_flags(array, gap=f"{gap}s")
    expected = np.array([_slow(column, seconds, gap) for column in table.T]).T
    assert (found.to_numpy() == expected).all()
    assert found.name == "t_qc" and found.attrs == array.attrs and found.dtype == np.uint8
    assert (bridge_flags(array.chunk(time=7), gap=f"{gap}s").to_numpy() == expected).all()
