"""A lineage: what is explained, the steps that led to it, and the rows at its beginning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.twin.lineage.drawing import drawing
from twinlab.twin.lineage.lineage_html import lineage_html
from twinlab.twin.lineage.steps import Step

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["Lineage"]


@dataclass(frozen=True)
class Lineage:
    """What is behind one value, event, exception or KPI."""

    subject: str
    """What is explained: ``cold_room/3 temperature, 2026-01-05 12:00 to 12:05``."""
    steps: tuple[Step, ...]
    """The first is what is explained; every other one explains an earlier one."""
    rows: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    """The rows of the ledger behind it, with ``source, file, row`` and what became of each (``standing``)."""

    def table(self) -> pd.DataFrame:
        """Return the steps as a table: ``step, kind, title, text, explains``; ``explains`` is the number of another step."""
        return pd.DataFrame(
            {
                "step": range(len(self.steps)),
                "kind": [one.kind for one in self.steps],
                "title": [one.title for one in self.steps],
                "text": [one.text for one in self.steps],
                "explains": pd.array([one.explains for one in self.steps], dtype="Int64"),
            }
        )

    def drawing(self) -> Markup:
        """Return a drawing of the steps as SVG, from the files at the left to what is explained at the right."""
        return drawing(self.subject, self.steps)

    def __str__(self) -> str:
        lines = [self.subject]

        def add(place: int, depth: int) -> None:
            one = self.steps[place]
            text = f": {one.text}" if one.text else ""
            lines.append(f"{'  ' * (depth + 1)}{one.kind} {one.title}{text}")
            for number, other in enumerate(self.steps):
                if other.explains == place:
                    add(number, depth + 1)

        add(0, 0)
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return str(lineage_html(self.subject, self.drawing(), self.rows))
