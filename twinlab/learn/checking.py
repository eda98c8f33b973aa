"""`check`: whether an answer is right, or what to look at again."""

from __future__ import annotations

from dataclasses import dataclass

from twinlab._html import html
from twinlab.learn.checks import CHECKS
from twinlab.learn.comparing import first_fault
from twinlab.learn.exercise import find_exercise
from twinlab.learn.progress import note
from twinlab.learn.twins import twin

__all__ = ["Verdict", "check"]


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right."""

    exercise: str
    """Name of the exercise."""
    right: bool
    """Whether it's right."""
    text: str
    """What was found, or what to look at again."""

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return f"{'Right' if self.right else 'Not yet'}: {self.text}"

    def _repr_html_(self) -> str:
        # A sign and a word, so that colour isn't alone.
        return str(
            html(
                '<p style="border-left:4px solid {{ colour }};padding:.3em .8em"><strong>{{ sign }} {{ word }}.</strong> {{ text }}</p>',
                colour="#009E73" if self.right else "#E69F00",
                sign="✓" if self.right else "↺",
                word="Right" if self.right else "Not yet",
                text=self.text,
            )
        )


def check(exercise: str, answer: object = None) -> Verdict:
    """Check an answer against what the exercise's twin says now.

    Parameters
    ----------
    exercise : str
        Such as ``"dispatcher.late-truck"``; `start` lists them.
    answer : object
        What the exercise asks for: a text, a number or several texts.

    Returns
    -------
    Verdict
        True if it's right; else its text says what to look at again, never the answer.

    Raises
    ------
    UnknownTermError
        If there is no such exercise.

    Examples
    --------
    >>> import twinlab as tl
    >>> tl.learn.check("dispatcher.late-truk", "T005")
    Traceback (most recent call last):
    ...
    twinlab.errors.UnknownTermError: there is no exercise 'dispatcher.late-truk'; did you mean 'dispatcher.late-truck'?; tl.learn.paths() lists all
    """
    found = find_exercise(exercise)
    opened = twin(found.name)
    try:
        fault = first_fault(CHECKS[found.name](opened), answer)
    finally:
        opened.close()
    note(found.name, right=not fault)
    return Verdict(
        found.name, not fault, fault or f"{found.title}: done. tl.learn.start({found.role!r}) lists the next."
    )
