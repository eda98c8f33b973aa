"""Exercises that change or damage a twin are passed by a robot reader; practice twins begin again."""

import pytest

import twinlab as tl
from tests.exercise_robot import EXERCISES, follow


@pytest.mark.parametrize("name", [name for name, one in EXERCISES.items() if one.twin in ("copy", "workshop")])
def test_a_reader_who_follows_the_text_passes_and_mistakes_get_hints_without_the_answer(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(name, monkeypatch)


def test_a_state_that_is_not_repaired_is_said_with_what_is_there_now() -> None:
    tl.learn.twin("steward.wrong-unit", fresh=True).close()
    verdict = tl.learn.check("steward.wrong-unit", 216)
    assert not verdict
    assert "216 are still below -5 °C" in verdict.text
    assert "promote" in verdict.text


def test_a_practice_twin_begins_again_only_if_it_is_asked_to() -> None:
    folder = tl.learn.twin("ot-engineer.scan-rate", fresh=True).folder
    (folder / "mine.txt").write_text("mine", encoding="utf-8")
    assert (tl.learn.twin("ot-engineer.scan-rate").folder / "mine.txt").exists()
    assert not (tl.learn.twin("ot-engineer.scan-rate", fresh=True).folder / "mine.txt").exists()
