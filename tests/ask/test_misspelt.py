"""A misspelt word is read as the one that is meant, and said; a word that only looks like one is not."""

import pytest

from twinlab.ask import ask
from twinlab.testing import FakeTwin


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("average tempature of stations last week", "average temperature of stations last week"),
        ("how many tirps were there last week", "how many trips were there last week"),
        (
            "durchschnittliche Temperratur von stations letzte Woche",
            "durchschnittliche Temperatur von stations letzte Woche",
        ),
    ],
)
def test_a_misspelt_word_is_corrected_with_a_note(wrong: str, right: str, example: FakeTwin) -> None:
    answer = ask(example, wrong)

    assert answer.value == ask(example, right).value
    assert answer.plan is not None
    assert answer.plan.question == wrong
    assert any("“" in note or "„" in note for note in answer.notes)


@pytest.mark.parametrize(
    "question", ["who is the parceller of R1", "how many stationers are there", "average tempering of stations"]
)
def test_another_word_is_not_corrected(question: str, example: FakeTwin) -> None:
    assert not ask(example, question).answered
