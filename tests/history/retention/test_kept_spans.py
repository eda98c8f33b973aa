"""Spans that stay at full rate, and the bytes that a history would have then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.history.write.test_removal import DAY, ORIGIN, cut_at, fill, read
from twinlab.history.build.cuts import Cut
from twinlab.history.layout.grid import Axis
from twinlab.history.retention.kept_spans import flagged_spans, joined
from twinlab.history.retention.sizes import size_after
from twinlab.history.retention.storage_use import storage_use
from twinlab.history.store.opening import open_history
from twinlab.history.write.removal import Removal, kept_mask
from twinlab.model.flags import Flag

SPAN = st.tuples(st.sampled_from("abc"), st.integers(0, 50), st.integers(0, 9))


@given(st.lists(st.lists(SPAN, max_size=6), max_size=3), st.integers(0, 4), st.integers(1, 60))
def test_a_cell_stays_if_and_only_if_a_span_with_its_margin_has_it(
    parts: list[list[tuple[str, int, int]]], margin: int, before: int
) -> None:
    arrays = [
        (
            [a for a, _, _ in some],
            np.array([s for _, s, _ in some], dtype=np.int64),
            np.array([s + n for _, s, n in some], dtype=np.int64),
        )
        for some in parts
    ]
    kept = joined(arrays, margin_ns=margin, before_ns=before)
    mask = kept_mask(kept, "abc", Axis(0, 1), (0, 70))
    want = np.zeros((70, 3), dtype=bool)
    for some in parts:
        for asset, start, length in some:
            low, high = start - margin, min(start + length + margin, before)
            want[max(0, low) : max(0, high), "abc".index(asset)] = True
    assert (mask == want).all()
    for asset in "abc":
        mine = sorted((a, b) for one, a, b in zip(kept.assets, kept.starts, kept.stops, strict=True) if one == asset)
        assert all(b < c for (_, b), (c, _) in zip(mine[:-1], mine[1:], strict=True))


def test_suspect_and_failed_cells_are_found(site: Any) -> None:
    fill(site)
    site.historian().catch_up()
    view = open_history(site.root / "history")
    ids, starts, stops = flagged_spans(view, view.meta["assets"], before_ns=ORIGIN + 8 * DAY)["room"]
    kept = joined([(ids, starts, stops)], margin_ns=0, before_ns=ORIGIN + 8 * DAY)
    data = read(site)
    count = int(kept_mask(kept, ["a", "b"], Axis(ORIGIN, 60 * 10**9), (0, 7 * 1440)).sum())
    marks = (
        data[["temperature_qc", "humidity_qc"]].isel(time=slice(0, 7 * 1440)).to_array().isin([Flag.SUSPECT, Flag.FAIL])
    )
    assert count == int(marks.any("variable").sum()) > 10


@pytest.mark.parametrize("older", ["rollups", "rounded"])
def test_the_bytes_are_those_that_the_history_has_then(site: Any, older: str) -> None:
    fill(site, rooms="abcdefghij")
    site.historian().compact()
    view = open_history(site.root / "history")
    cuts = [ORIGIN + day * DAY for day in (3, 8)]
    removal = Removal(Cut("x", 0, ()), older, 4)  # type: ignore[arg-type]
    found = size_after(view, removal, cuts, view.meta["assets"])  # type: ignore[arg-type]
    assert found.share == 1
    assert found.before > found.after[cuts[0]] > found.after[cuts[1]]
    before = storage_use(site.root, view)
    cut_at(site, 8, older=older)
    after = storage_use(site.root, open_history(site.root / "history"))
    assert before.cells - found.before + found.after[cuts[1]] == pytest.approx(after.cells, rel=0.05)
    assert (after.rollups, after.tables) == (before.rollups, before.tables)
