"""Collect what could not be placed, row by row, while one frame is harmonised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from twinlab.harmonise.claims import Bools, Ints, Problem, UnknownTerm

__all__ = ["PROBLEMS_KEPT", "Findings"]

#: Problems that are kept with their text; the rest is counted.
PROBLEMS_KEPT = 100


class Findings:
    """Unknown terms, problems and missing cells of one frame."""

    def __init__(self, row_numbers: Ints) -> None:
        self.unknown: dict[str, UnknownTerm] = {}
        self.problems: list[Problem] = []
        self.problem_count = 0
        self.missing = 0
        self._rows = row_numbers

    def unknown_term(self, term: str, rows: int, message: str) -> None:
        """Count an unknown term; several rules that stumble over the same rows count them once."""
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
        """Note the rows of ``where`` (bool[n] or positions) with the text that stands in their cells."""
        positions = np.flatnonzero(where) if where.dtype == bool else where
        self.problem_count += len(positions)
        for position in positions[: max(0, PROBLEMS_KEPT - len(self.problems))].tolist():
            cell = "" if texts is None else texts[position]
            cell = cell.as_py() if isinstance(cell, pa.Scalar) else cell
            text = "" if cell is None else str(cell)
            why = reason if isinstance(reason, str) else reason(text)
            self.problems.append(Problem(int(self._rows[position]), column, text, why))
