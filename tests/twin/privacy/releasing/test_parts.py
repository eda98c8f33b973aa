"""Groups, noise and the attack, each by itself."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.twin.privacy.releasing.groups import PEOPLE, counted, in_groups
from twinlab.twin.privacy.releasing.linkage import linkage_attack
from twinlab.twin.privacy.releasing.noise import bounded, noisy_counts

ROWS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.integers(0, 3), st.sampled_from(["x", "y"])), min_size=1, max_size=60
)


def table_of(rows):
    people, places, kinds = zip(*rows, strict=True)
    return pd.DataFrame({"place": places, "kind": kinds}), pd.Series(people)


@settings(max_examples=30)
@given(ROWS, st.integers(2, 4))
def test_every_released_row_is_shared_by_enough_people(rows, least):
    table, people = table_of(rows)
    kept = in_groups(table, people, least)
    true = {(p, k): {w for w, pp, kk in rows if (pp, kk) == (p, k)} for _, p, k in rows}
    wanted = {key: len(who) for key, who in true.items() if len(who) >= least}
    found = kept.groupby(["place", "kind"]).size().to_dict() if len(kept) else {}
    assert found == wanted
    shuffled = np.random.default_rng(0).permutation(len(table))
    again = in_groups(table.iloc[shuffled].reset_index(drop=True), people.iloc[shuffled].reset_index(drop=True), least)
    pd.testing.assert_frame_equal(again, kept)


@settings(max_examples=30)
@given(ROWS, st.integers(2, 4))
def test_an_attacker_never_finds_more_than_one_in_the_group_size(rows, least):
    table, people = table_of(rows)
    for released, count in (
        (in_groups(table, people, least), None),
        (counted(table, people, ["place", "kind"]).query(f"{PEOPLE} >= {least}"), PEOPLE),
    ):
        found = linkage_attack(released, table, people, lambda exact: exact, count=count, points=1)
        assert found.highest <= 1 / least


def test_an_attacker_finds_everybody_in_exact_points_with_pseudonyms():
    rng = np.random.default_rng(1)
    exact = pd.DataFrame({"time": pd.to_datetime(rng.integers(0, 10**9, 500), unit="s"), "x": rng.normal(size=500)})
    people = pd.Series([f"n{n % 20}" for n in range(500)])
    raw = exact.assign(person=[f"p-{name}" for name in people])
    known = {f"n{n}": f"p-n{n}" for n in range(20)}
    found = linkage_attack(raw, exact, people, lambda table: table, known_as=known, pseudonym="person")
    assert (found.targets, found.risk) == (20, 1.0)
    # The attacker isn't helped by the judge: with wrong pseudonyms nobody is found.
    wrong = dict.fromkeys(known, "p-other")
    assert linkage_attack(raw, exact, people, lambda table: table, known_as=wrong, pseudonym="person").risk == 0.0


def test_more_known_points_find_more_people():
    rng = np.random.default_rng(2)
    exact = pd.DataFrame({"cell": rng.integers(0, 6, 3000), "hour": rng.integers(0, 6, 3000)})
    people = pd.Series([f"n{n % 100}" for n in range(3000)])
    raw = exact.assign(person=people)
    risks = [
        linkage_attack(raw, exact, people, lambda table: table, pseudonym="person", points=points).risk
        for points in (1, 2, 4)
    ]
    assert risks == sorted(risks)
    assert 3 * risks[0] < risks[2]


@settings(max_examples=30)
@given(ROWS, st.integers(1, 3))
def test_nobody_has_more_rows_than_are_counted(rows, most):
    table, people = table_of(rows)
    kept, who = bounded(table, people, most)
    sizes = who.value_counts()
    assert sizes.max() <= most
    assert (sizes == people.value_counts().clip(upper=most).reindex(sizes.index)).all()
    assert len(kept) == len(who)


@pytest.mark.parametrize(("most", "epsilon"), [(1, 1.0), (5, 1.0), (1, 0.1)])
def test_noise_is_as_large_as_the_privacy_loss_wants_it(need, most, epsilon):
    need("opendp")
    scale = most / epsilon
    found = noisy_counts(np.full(20_000, 10_000), most=most, epsilon=epsilon) - 10_000
    # The discrete Laplace distribution: mean 0, and mean distance 2 q / (1 - q**2) with q = exp(-1 / scale).
    q = np.exp(-1 / scale)
    assert abs(found.mean()) < 0.05 * scale
    assert np.abs(found).mean() == pytest.approx(2 * q / (1 - q**2), rel=0.05)


def test_counts_with_noise_are_never_negative(need):
    need("opendp")
    assert noisy_counts(np.zeros(1000, np.int64), most=3, epsilon=0.5).min() == 0
