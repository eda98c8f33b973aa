"""Cells of many short windows are those of the history, whatever of it is published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.history.late_twin import CELLS, ROOMS, late_rows, published_twin, rows
from twinlab.history.changes.window_cells import extent_ns, window_cells

MINUTE = 60 * 10**9
LENGTH = 90


def test_cells_of_windows_are_those_of_the_history(tmp_path: Path) -> None:
    twin = published_twin(tmp_path)
    rng = np.random.default_rng(5)
    begin = int(np.datetime64("2026-01-05", "ns").astype(np.int64))
    with twin.writer("feed") as writer:
        for number in range(4):
            # The windows are asked for first: nothing else has built the tail.
            ids = [f"R{one:02}" for one in rng.integers(0, ROOMS, 60)]
            first = np.append(rng.integers(-LENGTH, CELLS + LENGTH, 58), [-LENGTH // 2, CELLS - 5])
            starts = begin + first * MINUTE
            found = window_cells(twin.reader, "room", ["temperature", "power"], ids, starts, LENGTH)
            data = twin.reader.history("room").compute()
            low, high = data["time"].values[[0, -1]].astype("datetime64[ns]").astype(np.int64)
            assert extent_ns(twin.reader, "room", "1min") == (low, high + MINUTE)
            for name, (values, flags) in found.items():
                for place, (asset, start) in enumerate(zip(ids, starts, strict=True)):
                    times = (start + np.arange(LENGTH) * MINUTE).view("datetime64[ns]")
                    expected = data.sel(asset=asset).reindex(time=times, fill_value={f"{name}_qc": 2})
                    np.testing.assert_array_equal(values[:, place], expected[name])
                    np.testing.assert_array_equal(flags[:, place], expected[f"{name}_qc"])
            writer.append(late_rows(rng))
            new = np.repeat(np.arange(CELLS + number * 9, CELLS + number * 9 + 9), ROOMS)
            writer.append(rows(new, np.tile(np.arange(ROOMS), 9), rng))
            if number == 1:
                writer.publish()


def test_a_view_of_an_earlier_time_is_refused(tmp_path: Path) -> None:
    twin = published_twin(tmp_path)
    with pytest.raises(TypeError, match="newest state"):
        extent_ns(twin.reader.as_of("2030-01-01"), "room", "1min")
