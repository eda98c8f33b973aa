"""Findings of one frame: unknown terms, problems (row, column, text, reason) and the number of missing cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from twinlab.harmonise.claims import Bools, Ints, Problem, UnknownTerm

__all__ = ["MAX_PROBLEMS", "Findings"]

#: Number of problems recorded with their text; further ones are only counted.
MAX_PROBLEMS = 100


class Findings:
    """Unknown terms, problems and missing cells of one frame."""

    def __init__(self, row_numbers: Ints) -> None:
        self.unknown: dict[str, UnknownTerm] = {}
        self.problems: list[Problem] = []
        self.problem_count = 0
        self.missing = 0
        self._rows = row_numbers

    def select(self, mask: Bools) -> Findings:
        """Return empty findings of the rows of ``mask``."""
        return Findings(self._rows[mask])

    def add(self, other: Findings) -> None:
        """Add the findings of some of the rows."""
        for term, found in other.unknown.items():
            self.unknown_term(term, found.rows, found.message)
        self.problems += other.problems[: max(0, MAX_PROBLEMS - len(self.problems))]
        self.problem_count += other.problem_count
        self.missing += other.missing

    def unknown_term(self, term: str, rows: int, message: str) -> None:
        """Count an unknown term; rows that several rules report are counted once."""
        known = self.unknown.get(term)
        if rows and (known is None or known.rows < rows):
            self.unknown[term] = UnknownTerm(rows, message if known is None else known.message)

    def problem_rows(
        self,
        where: Bools | Ints,
        *,
        column: str | None,
        texts: pa.Array | Sequence[str] | Mapping[int, str] | None,
        reason: str | Callable[[str], str],
    ) -> None:
        """Record the rows of ``where`` (bool[n] or int positions) as problems, with the text of their cells."""
        positions = np.flatnonzero(where) if where.dtype == bool else where
        self.problem_count += len(positions)
        for position in positions[: max(0, MAX_PROBLEMS - len(self.problems))].tolist():
            cell = "" if texts is None else texts[position]
            cell = cell.as_py() if isinstance(cell, pa.Scalar) else cell
            text = "" if cell is None else str(cell)
            why = reason if isinstance(reason, str) else reason(text)
            self.problems.append(Problem(int(self._rows[position]), column, text, why))

    def problem_values(self, rows: Ints, *, column: str, texts: Sequence[str], reason: str) -> None:
        """Record values as problems, by the numbers of their rows; ``texts`` needs to cover the first `MAX_PROBLEMS` only."""
        self.problem_count += len(rows)
        room = max(0, MAX_PROBLEMS - len(self.problems))
        self.problems += [
            Problem(row, column, text, reason) for row, text in zip(rows[:room].tolist(), texts, strict=False)
        ]
