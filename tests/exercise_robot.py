"""A robot reader: follows the text of an exercise, and passes; known mistakes get their hints, which never have the answer."""

import re
from collections.abc import Callable
from typing import Any

import pytest

import twinlab as tl
from twinlab.learn.checks import CHECKS
from twinlab.learn.comparing import Solution, _same, first_fault
from twinlab.learn.exercise import all_exercises

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


def follow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do an exercise as its text says, check the answer and all known mistakes."""
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
