"""Planted situations: what would be unsafe is refused, what is safe isn't."""

from __future__ import annotations

from copy import deepcopy

import pytest

from tests.twin.commanding.situations import Situations


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Situations:
    """Return some of each kind; the benchmark has two hundred."""
    return Situations(tmp_path_factory.mktemp("situations"), count=6, seed=5)


def test_of_planted_situations_the_unsafe_are_refused_and_the_safe_are_not(planted: Situations) -> None:
    wrong: dict[bool, list[str]] = {True: [], False: []}
    for one in planted.all:
        proposal = planted.evaluate(one)
        # A check that failed says nothing of the simulation.
        assert proposal.effects, proposal.refused
        if bool(proposal.refused) != one.unsafe:
            wrong[one.unsafe].append(f"{one.kind} {one.target} {one.now}: {proposal.effects}")
    assert wrong[True] == []
    assert len(wrong[False]) <= 1, wrong[False]


def test_the_verdict_comes_from_the_simulation_and_not_from_the_names(planted: Situations) -> None:
    unsafe = deepcopy(next(one for one in planted.all if one.kind == "queue at its limit" and one.unsafe))
    assert planted.evaluate(unsafe).refused
    # The same command with room for twice as many.
    unsafe.options["most"] *= 2
    assert not planted.evaluate(unsafe).refused
