"""Questions that a draft leaves to a person, as the ``questions:`` section of a drafted file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twinlab.harmonise.drafting.yaml_text import quoted

__all__ = ["QuestionPlan", "question_lines"]


@dataclass(frozen=True)
class QuestionPlan:
    """A question about one value of a drafted file; see `twinlab.model.basics.QuestionRule`."""

    # Path of the value in the file: "tables[0].time.zone".
    at: str
    ask: str
    evidence: str = ""
    # Values that fit the data, the drafted one first.
    choices: tuple[str, ...] = ()
    # The value that was drafted; None: the question is open until its entry is removed.
    drafted: str | None = None
    # Zones: local times that rule out the zones in which they don't exist.
    times: tuple[str, ...] = ()


def question_lines(questions: Sequence[QuestionPlan]) -> list[str]:
    """Return the lines of a file's ``questions:`` section; none without questions.

    >>> question_lines([QuestionPlan("tables[0].time.zone", "In which zone?", choices=("UTC", "Europe/Berlin"))])[1:]
    ['  - {at: "tables[0].time.zone", ask: "In which zone?", choices: [UTC, Europe/Berlin]}']
    """
    if not questions:
        return []
    lines = ["questions:  # answered when the value is changed, or the line removed"]
    for one in questions:
        parts = [f"at: {quoted(one.at)}", f"ask: {quoted(one.ask)}"]
        parts += [f"evidence: {quoted(one.evidence)}"] if one.evidence else []
        parts += [f"choices: [{', '.join(map(quoted, one.choices))}]"] if one.choices else []
        parts += [f"drafted: {quoted(one.drafted)}"] if one.drafted is not None else []
        parts += [f"times: [{', '.join(map(quoted, one.times))}]"] if one.times else []
        lines.append(f"  - {{{', '.join(parts)}}}")
    return lines
