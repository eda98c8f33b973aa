"""Open questions of a twin, as a table and as a checklist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinlab.model.questions import Question

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["checklist", "count_text", "question_table"]


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
