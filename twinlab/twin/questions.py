"""Open questions of a twin, as a table and as a checklist; and the methods of `Twin` that return them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from twinlab.model.questions import Question, open_questions

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel

__all__ = ["QuestionMethods", "checklist", "count_text", "question_table"]


class QuestionMethods:
    """The open questions of a twin."""

    # As the files in the twin's folder say.
    _model: TwinModel
    mappings: Mapping[str, SourceMapping]

    def questions(self) -> pd.DataFrame:
        """Return the open questions: units and zones that aren't stated, and what a draft couldn't decide.

        Returns
        -------
        pandas.DataFrame
            A row a question: ``file`` (in the twin's folder), ``path`` in it, ``question``, ``evidence`` (what was found in
            the data) and ``choices`` (values that fit). Change the value in the file, and the question is answered.
        """
        return question_table(self.open_questions())

    def open_questions(self) -> list[Question]:
        """Return the questions as records; `questions` has them as a table."""
        return open_questions(self._model, self.mappings)


def count_text(count: int) -> str:
    """Return a number of open questions as text.

    >>> count_text(1), count_text(1200)
    ('1 open question', '1,200 open questions')
    """
    return f"{count:,} open question{'' if count == 1 else 's'}"


def question_table(questions: Sequence[Question]) -> pd.DataFrame:
    """Return questions as a table: ``file``, ``path``, ``question``, ``evidence`` and ``choices``, all text."""
    import pandas as pd  # noqa: PLC0415  (only this path needs it)

    rows = [(one.file, one.path, one.ask, one.evidence, ", ".join(one.choices)) for one in questions]
    return pd.DataFrame(rows, columns=["file", "path", "question", "evidence", "choices"], dtype="str")


def checklist(questions: Sequence[Question], *, most: int | None = None) -> list[str]:
    """Return a line for each question, under a line for each file; ``most`` limits the questions shown.

    >>> checklist([Question("twin.yaml", "origin", "When did it begin?", "first row: 2024", ("2024-01-01",))])
    ['twin.yaml', '  [ ] origin: When did it begin? first row: 2024. Fits: 2024-01-01']
    """
    lines: list[str] = []
    shown = questions if most is None else questions[:most]
    for place, one in enumerate(shown):
        if place == 0 or one.file != shown[place - 1].file:
            lines.append(one.file)
        evidence = f" {one.evidence.rstrip('.')}." if one.evidence else ""
        fits = f" Fits: {', '.join(one.choices)}" if one.choices else ""
        lines.append(f"  [ ] {one.path}: {one.ask}{evidence}{fits}".rstrip())
    if len(questions) > len(shown):
        lines.append(f"  … and {len(questions) - len(shown)} more: twin.questions() lists all")
    return lines
