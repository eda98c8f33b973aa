"""Numbers of 32 bits whose words are swapped are read as the mapping states."""

import numpy as np
import pytest

from twinlab.harmonise.words import swap_words
from twinlab.model.check import mapping_findings
from twinlab.model.mapping import Mapping

TIMES = [f"2026-01-05T0{hour}:00:00Z" for hour in range(3)]
RIGHT = np.float32([39.25, 41.0, 20.5]).astype(np.float64)


def test_a_column_with_swapped_words_is_scaled_and_converted_after_it(kit):
    wrong = swap_words(RIGHT, "float32")
    rule = {"signal": "temperature", "swapped_words": "float32", "unit": "degF", "scale": 2, "missing": [-99]}
    cells = {"time": TIMES, "t": [wrong[0], wrong[1], -99.0]}
    found = kit.run(cells, kit.wide({"t": rule}))
    assert np.allclose(found.claims.value, (RIGHT[:2] * 2 - 32) / 1.8)
    assert (found.missing, found.problem_count) == (1, 0)


def test_integers_of_a_counter(kit):
    wrong = swap_words(np.array([70_000.0, 70_001.0]), "uint32")
    rule = {"signal": "energy", "swapped_words": "uint32"}
    found = kit.run({"time": TIMES[:2], "e": wrong.tolist()}, kit.wide({"e": rule}))
    assert found.claims.value.tolist() == [70_000.0, 70_001.0]


def test_a_number_of_another_type_is_a_problem_that_says_so(kit):
    rule = {"signal": "energy", "swapped_words": "uint32"}
    found = kit.run({"time": TIMES[:1], "e": [1.5]}, kit.wide({"e": rule}))
    assert found.problem_count == 1
    assert "expected a uint32 for 'energy', whose words are swapped, got '1.5'" in found.problems[0].reason


def test_a_stream_with_swapped_words(kit):
    from tests.harmonise.test_stream import run

    tags = {
        "A.T": {"signal": "temperature", "asset": "cold_room/A", "unit": "degC", "swapped_words": "float32"},
        "B.T": {"signal": "temperature", "asset": "cold_room/B", "unit": "degC"},
    }
    wrong = swap_words(RIGHT, "float32")
    claims = run(kit, ["A.T", "B.T", "A.T"], rule={"tags": tags}, values=[wrong[0], 4.0, wrong[1]]).claims
    assert claims.value.tolist() == [39.25, 4.0, 41.0]


def test_a_state_has_no_words(kit):
    rule = {"signal": "door", "asset": "cold_room/A", "swapped_words": "uint32"}
    mapping = Mapping.model_validate({"source": "s", "stream": {"tags": {"A": rule}}})
    (found,) = mapping_findings(mapping, kit.model)
    assert "is a state, and `swapped_words` is for numbers" in found.message


@pytest.mark.parametrize("kind", ["float32", "int32", "uint32"])
def test_swapping_twice_gives_the_number(kind: str) -> None:
    numbers = np.array([1.0, 70_000.0, 5.0])
    assert swap_words(swap_words(numbers, kind), kind).tolist() == numbers.tolist()
