"""Claims become cells: both algorithms against a slow reference, in any order of arrival."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.harmonise.claims import Claims, Series
from twinlab.history.build.blocks import Empty
from twinlab.history.build.build import NEVER, Part, build_blocks, build_values
from twinlab.history.build.group_spec import GroupSpec
from twinlab.history.build.report import Tally
from twinlab.history.layout.encoding import decode
from twinlab.history.layout.grid import Frontier, Group
from twinlab.model.twinmodel import Signal

MINUTE = 60 * 10**9
ASSETS = ("a", "b")


def spec_of(combine: str, **limits: object) -> GroupSpec:
    signal = Signal.model_validate({"resolution": 0.5, "cadence": "1min", "combine": combine, **limits})
    return GroupSpec(Group("room", "1min"), 0, {"x": signal}, ASSETS)


class FakeSource:
    def __init__(self, parts: list[Part], simple: bool) -> None:
        self._parts, self._simple = parts, simple

    def parts(self, spec: GroupSpec, window: tuple[int, int]) -> list[Part]:
        return self._parts

    def simple(self, spec: GroupSpec, window: tuple[int, int]) -> frozenset[str]:
        return frozenset(spec.signals) if self._simple else frozenset()

    def judged(self, spec: GroupSpec) -> frozenset[str]:
        return frozenset()


def claims_of(rows: list[dict]) -> Claims:
    tags = sorted({r["tag"] for r in rows})
    series = tuple(Series("room", asset, "x") for asset in ASSETS)
    column = lambda name, dtype: np.array([r[name] for r in rows], dtype=dtype)  # noqa: E731
    keys = np.array([r.get("key") for r in rows], dtype=object)
    return Claims(
        series=series,
        code=np.array([ASSETS.index(r["asset"]) for r in rows], dtype=np.int32),
        event_time=column("time", np.int64),
        value=column("value", np.float64),
        epoch=column("epoch", np.int64),
        sequence=column("sequence", np.int64),
        ordinal=column("ordinal", np.int64),
        op=column("op", np.int8),
        tag=np.array([tags.index(r["tag"]) for r in rows], dtype=np.int32),
        tags=tuple(tags),
        key=keys if any(k is not None for k in keys) else None,
        priority=column("priority", np.int16),
        row_number=None,
    )


def oracle(sources: list[list[dict]], combine: str) -> dict[tuple[int, str], float]:
    """The contract in plain Python: identity, precedence, retraction, priority, rule."""
    survivors = []
    for number, rows in enumerate(sources):
        groups = defaultdict(list)
        for r in rows:
            if r.get("key") is not None:
                identity = ("key", r["tag"], r["key"])
            elif r["sequence"] >= 0:
                identity = ("seq", r["tag"], r["time"], r["epoch"], r["sequence"])
            else:
                identity = ("time", r["tag"], r["time"])
            groups[identity].append(r)
        standing = []
        for identity, claims in groups.items():
            best = max(claims, key=lambda r: (*precedence(r), r["op"], r["time"], r["value"], r["priority"]))
            if best["op"] == 0:
                standing.append((identity[0], best))
        for identity, claims in groups.items():
            if identity[0] == "seq" and all(r["op"] == 1 for r in claims):
                _, tag, time, epoch, sequence = identity
                standing = [
                    (kind, r)
                    for kind, r in standing
                    if not (
                        kind != "key"
                        and (r["tag"], r["time"]) == (tag, time)
                        and (r["sequence"] < 0 or (r["epoch"], r["sequence"]) < (epoch, sequence))
                    )
                ]
        survivors += [(number, r) for _, r in standing]
    cells = defaultdict(list)
    for number, r in survivors:
        cells[r["time"] // MINUTE, r["asset"]].append((number, r))
    out = {}
    for cell, rows in cells.items():
        last = lambda nr: (nr[1]["time"], nr[0], *precedence(nr[1]), nr[1]["value"])  # noqa: E731
        top = max(r["priority"] for _, r in rows)
        chosen = max((nr for nr in rows if nr[1]["priority"] == top), key=last)
        mine = [nr for nr in rows if nr[1]["priority"] == top and nr[0] == chosen[0]]
        values = sorted(r["value"] for _, r in mine)
        out[cell] = {
            "last": max(mine, key=last)[1]["value"],
            "mean": sum(values) / len(values),
            "min": values[0],
            "max": values[-1],
            "sum": sum(values),
        }[combine]
    return out


def precedence(r: dict) -> tuple[bool, int, int]:
    if r["sequence"] >= 0:
        return (True, r["epoch"], r["sequence"])
    return (False, 0, r["ordinal"])


def build(sources: list[list[dict]], combine: str, *, simple: bool, cuts: list[int] = ()) -> np.ndarray:
    parts = []
    for number, rows in enumerate(sources):
        edges = [0, *sorted({c % (len(rows) + 1) for c in cuts}), len(rows)]
        parts += [Part(number, claims_of(rows[a:b])) for a, b in zip(edges, edges[1:], strict=False) if a < b]
    spec = spec_of(combine)
    values = build_values(spec, (0, 4), FakeSource(parts, simple), Tally())
    return decode(values.ints["x"], spec.signals["x"])


def grid(cells: dict[tuple[int, str], float]) -> np.ndarray:
    out = np.full((4, 2), np.nan)
    for (k, asset), value in cells.items():
        if 0 <= k < 4:
            out[k, ASSETS.index(asset)] = np.rint(value * 2) / 2
    return out


ROW = st.fixed_dictionaries(
    {
        "asset": st.sampled_from(ASSETS),
        "time": st.integers(-1, 16).map(lambda n: n * MINUTE // 4),
        "value": st.integers(-6, 6).map(lambda n: n / 4),
        "epoch": st.integers(0, 1),
        "sequence": st.integers(0, 5),
        "op": st.just(0),
        "priority": st.just(0),
        "key": st.none(),
    }
)


def with_tags(rows: list[dict]) -> list[dict]:
    # A tag belongs to one asset.
    return [{**r, "tag": "tag of " + r["asset"] + str(r.get("twig", 0)), "ordinal": i} for i, r in enumerate(rows)]


@given(
    rows=st.lists(ROW, max_size=25), shuffle=st.permutations(range(50)), cuts=st.lists(st.integers(0, 50), max_size=3)
)
@pytest.mark.parametrize("combine", ["last", "min", "max"])
@settings(max_examples=60, deadline=None)
def test_scatter_gives_what_the_contract_says_in_any_order_and_with_any_repetition(combine, rows, shuffle, cuts):
    expected = grid(oracle([with_tags(rows)], combine))
    again = [rows[i % len(rows)] for i in shuffle] if rows else []
    arrived = with_tags(again + rows)
    if combine == "last":
        np.testing.assert_array_equal(build([arrived], combine, simple=True, cuts=cuts), expected)
    np.testing.assert_array_equal(build([arrived], combine, simple=False, cuts=cuts), expected)


@given(rows=st.lists(ROW.map(lambda r: {**r, "sequence": -1}), max_size=25))
@settings(max_examples=60, deadline=None)
def test_without_sequences_the_newest_claim_of_a_tag_and_time_wins(rows):
    arrived = with_tags(rows)
    expected = grid(oracle([arrived], "last"))
    np.testing.assert_array_equal(build([arrived], "last", simple=True), expected)
    np.testing.assert_array_equal(build([arrived], "last", simple=False), expected)


MESSY = st.builds(
    lambda row, op, key, sequence, priority, twig: {
        **row, "op": op, "key": key, "sequence": sequence, "priority": priority, "twig": twig,
    },
    ROW,
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from([None, None, "k1", "k2"]),
    st.integers(0, 9),
    st.integers(0, 1),
    st.integers(0, 1),
)  # fmt: skip


@given(
    first=st.lists(MESSY, max_size=20), second=st.lists(MESSY, max_size=20), random=st.randoms(use_true_random=False)
)
@pytest.mark.parametrize("combine", ["last", "mean", "min", "max", "sum"])
@settings(max_examples=60, deadline=None)
def test_keys_retractions_corrections_and_rival_sources_follow_the_contract_in_any_order(
    combine, first, second, random
):
    expected = grid(oracle([with_tags(first), with_tags(second)], combine))
    for rows in (first, second):
        random.shuffle(rows)
    arrived = [with_tags(first + first[:3]), with_tags(second)]
    np.testing.assert_allclose(build(arrived, combine, simple=False, cuts=[3, 7]), expected, rtol=0, atol=1e-12)


def test_a_mean_never_counts_a_correction_twice():
    row = {"asset": "a", "time": 0, "epoch": 0, "sequence": -1, "op": 0, "priority": 0}
    rows = with_tags([{**row, "value": 10.0}, {**row, "value": 4.0}, {**row, "time": 1, "value": 8.0}])
    assert build([rows], "mean", simple=False)[0, 0] == 6.0


def frontier(known_from: int, passed: int) -> Frontier:
    return Frontier(np.full((1, 2), known_from), np.full((1, 2), passed))


def test_missing_needs_a_passed_watermark_and_an_asset_that_was_seen_before():
    rows = with_tags(
        [{"asset": "a", "time": 2 * MINUTE, "value": 1.0, "epoch": 0, "sequence": 1, "op": 0, "priority": 0}]
    )
    spec = spec_of("last")
    seen = Frontier(np.array([[2, NEVER]]), np.array([[5, -NEVER]]))
    (block,) = build_blocks(
        spec, source=FakeSource([Part(0, claims_of(rows))], simple=True), base=Empty(), frontier=seen,
        fresh=[(0, 8)], write=[(0, 8)], tally=Tally(),
    )  # fmt: skip
    assert block.flags["x"][:, 0].tolist() == [2, 2, 1, 9, 9, 2, 2, 2]
    assert block.flags["x"][:, 1].tolist() == [2] * 8


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_blocks_cut_anywhere_give_the_flags_of_one_block(data):
    spec = spec_of(
        "last",
        spike=(1, 3),
        max_rate=(0.01, 0.1),
        flat_line="3min",
        sensor_span=(-3, 3),
        expected_span=(-2, 2),
        gap="2min",
    )
    values = data.draw(st.lists(st.integers(-7, 7), min_size=40, max_size=40))
    rows = with_tags(
        [
            {"asset": "a", "time": k * MINUTE, "value": v / 2, "epoch": 0, "sequence": k, "op": 0, "priority": 0}
            for k, v in enumerate(values)
            if v != 7
        ]
        or [{"asset": "a", "time": 0, "value": 0.0, "epoch": 0, "sequence": 0, "op": 0, "priority": 0}]
    )
    source = FakeSource([Part(0, claims_of(rows))], simple=True)

    def flags(edges: list[int]) -> np.ndarray:
        from twinlab.history.build.blocks import Recent

        base = Recent(Empty())
        for block in build_blocks(
            spec,
            source=source,
            base=base,
            frontier=frontier(0, 38),
            fresh=[(0, 40)],
            write=[(0, 40)],
            tally=Tally(),
            edges=edges,
        ):
            base.blocks.append(block)
        return np.concatenate([b.flags["x"] for b in base.blocks])

    edges = data.draw(st.lists(st.integers(1, 39), max_size=6))
    np.testing.assert_array_equal(flags(edges), flags([]))
