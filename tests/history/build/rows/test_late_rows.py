"""Late rows are kept apart from their frames: cells, counts and observations are those of an index that keeps none apart."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.history.build.mapping_context import Sources
from twinlab.history.build.partition import Partition, build_partition
from twinlab.history.build.rows.ledger_claims import LedgerClaims
from twinlab.history.build.update import changed_cells, frontier_of, late_claims
from twinlab.history.index import reach
from twinlab.history.index.reach import NEVER
from twinlab.history.read.observations import observations

# Nothing here is about durability: a disk's syncs would take most of the time.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
TAGS = ["a.t", "b.t", "a.h", "a.d", "a.e"]
MINUTES = 400


def sources(site, near: int) -> Sources:
    """Index a site's ledger; claims at most ``near`` ns from the others of their frame aren't late."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reach, "_NEAR", near)
        found = Sources(site.ledger, site.model, site.mappings)
        found.prepare(found.position())
    return found


def everything(
    found: Sources, site, position: dict[str, int], window: tuple[int, int], *, counts: bool, cells: bool
) -> list[object]:
    """All that is built and shown of a window, in minutes, at a position."""
    out: list[object] = []
    marks = found.marks(position)
    assets = found.columns({}, marks.values())
    claims = LedgerClaims(found.views, position, {name: at // 2 for name, at in position.items()})
    for spec in found.groups(assets, position):
        if not spec.assets:
            continue
        frontier = frontier_of(spec, marks.values())
        low, high = (minute * 60 * 10**9 // spec.group.cadence_ns for minute in window)
        if frontier.known_from.min() == NEVER or low >= high:
            continue
        blocks, tally = build_partition(Partition(spec, (low, high), frontier), claims)
        for block in blocks:
            out += [block.values[name] for name in block.values] + [block.flags[name] for name in block.flags]
        out.append((tally.duplicates if counts else 0, tally.disagreements))
    start, stop = (site.model.origin_ns + minute * 60 * 10**9 for minute in window)
    for name in ("temperature", "humidity"):
        for all_claims in (False, True):
            signal = site.model.asset_types["room"].signals[name]
            out.append(
                observations(
                    found, position, ("room", "a", name), signal, span=(start, stop), ledger=site.ledger,
                    everything=all_claims,
                )
            )  # fmt: skip
    half = {name: at // 2 for name, at in position.items()}
    specs = [spec for spec in found.groups(assets, position) if spec.assets]
    if cells and all(
        (one.position >= at) for one, at in ((view.index, half[view.name]) for view in found.views.values())
    ):
        out.append(changed_cells(found.views, specs, old=half, new=position, late_before={}))
    for name, view in found.views.items():
        out.append(late_claims(view, old=half[name], new=position[name], watermark=marks[name].watermark))
    return out


def assert_equal(one: list[object], other: list[object]) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
        elif isinstance(a, pd.DataFrame):
            pd.testing.assert_frame_equal(a, b)
        else:
            assert a == b


ROW = st.tuples(st.sampled_from(TAGS), st.integers(0, MINUTES * 2).map(lambda n: n / 2), st.integers(0, 30))
FRAME = st.tuples(
    st.integers(0, MINUTES - 10),
    st.lists(st.tuples(st.sampled_from(TAGS), st.integers(0, 9), st.integers(0, 30)), min_size=6, max_size=20),
    # Rows anywhere: late ones, and repetitions of other rows' times.
    st.lists(ROW, max_size=3),
    st.sampled_from(["numbered", "plain", "plain", "keys", "retractions"]),
)


def append(site, rows_of, frame: tuple, number: int) -> None:
    at, near, far, kind = frame
    rows = [(tag, at + minute, value) for tag, minute, value in near] + list(far)
    values = {"t": lambda v: v - 5.0, "h": lambda v: v + 0.25, "d": lambda v: v % 2, "e": lambda v: v / 4}
    rows = [(tag, minute, float(values[tag[-1]](value))) for tag, minute, value in rows]
    if kind == "numbered":
        rows = [(*row, number * 10 + n % 7) for n, row in enumerate(rows)]
    keys = [f"k{n % 4}" for n in range(len(rows))] if kind == "keys" else None
    with site.ledger.writer("rooms", segment_rows=30) as writer:
        writer.append_observations(rows_of(rows, keys=keys, op=int(kind == "retractions")))


@given(
    frames=st.lists(FRAME, min_size=1, max_size=8),
    cuts=st.lists(st.integers(0, 10_000), min_size=1, max_size=2),
    window=st.tuples(st.integers(0, MINUTES), st.integers(15, 120)),
    seal=st.booleans(),
)
@settings(max_examples=10, deadline=None)
def test_late_rows_apart_give_the_same_cells_counts_and_observations(make_site, rows_of, frames, cuts, window, seal):
    with TemporaryDirectory(dir=MEMORY) as folder:
        site = make_site(Path(folder))
        for number, frame in enumerate(frames):
            append(site, rows_of, frame, number)
        apart, whole = sources(site, 60 * 10**9), sources(site, NEVER)
        assert not len(whole.views["rooms"].index.late)
        if seal:
            site.ledger.seal("rooms")
            apart, whole = (sources(site, 60 * 10**9), whole) if len(frames) % 2 else (apart, sources(site, NEVER))
        end = apart.position()["rooms"]
        low, high = window[0], window[0] + window[1]
        # Resolving, which keys and retractions need, also counts rows with other values as duplicates.
        counts = all(kind in ("numbered", "plain") for *_, kind in frames)
        for at in [end, *(cut % (end + 1) for cut in cuts)]:
            position = {"rooms": at}
            assert_equal(
                everything(apart, site, position, (low, high), counts=counts, cells=not seal),
                everything(whole, site, position, (low, high), counts=counts, cells=not seal),
            )


def test_the_rows_of_these_examples_are_late(make_site, rows_of, tmp_path):
    site = make_site(tmp_path)
    near = [("a.t", n, n) for n in range(9)]
    for number in range(10):
        append(site, rows_of, (40 * number, near, [("a.t", 200.0 + number / 2, 3)], "numbered"), number)
    index = sources(site, 60 * 10**9).views["rooms"].index
    assert len(index.late) >= 8
    group = index.group_of["room", "temperature"]
    at = site.model.origin_ns + 205 * 60 * 10**9
    assert len(index.covering(group, at, at + 1, 1000)) <= 2
