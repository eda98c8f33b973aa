"""Findings about a signal of an asset, of whatever kind, and their table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from twinlab.errors import SchemaError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Finding", "findings_frame"]


@dataclass(frozen=True)
class Finding:
    """One thing that seems wrong with a signal of an asset: what, since when, how sure, and what to do.

    Raises
    ------
    SchemaError
        If the confidence isn't in 0..1, or ``until`` isn't after ``since``.

    >>> Finding("unit", asset="B2", signal="temperature", confidence=0.9, evidence="median 39 °C, peers 4 °C").source
    ''
    """

    kind: str
    """What is wrong, one word: "unit", "drift", "clock" or the name of a quality test."""
    source: str = ""
    """Source of the values; empty if it isn't known."""
    tag: str = ""
    """Column or tag of the source; empty if it isn't known."""
    asset: str = ""
    """Asset, its id."""
    signal: str = ""
    """Signal of the asset's type; empty if the finding is about all of them."""
    since: np.datetime64 | None = None
    """First instant, UTC; None if it was so from the beginning of the data."""
    until: np.datetime64 | None = None
    """End, UTC, not included; None if it is still so at the end of the data."""
    confidence: float = 0.5
    """How sure, 0..1."""
    evidence: str = ""
    """One sentence with numbers."""
    fix: str = ""
    """The proposed change, one line of YAML; empty if there is none."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.confidence) and 0 <= self.confidence <= 1):
            msg = f"expected a confidence in 0..1, got {self.confidence!r} for {self._about()}"
            raise SchemaError(msg)
        if self.since is not None and self.until is not None and not self.since < self.until:
            msg = f"expected since < until, got {self.since} and {self.until} for {self._about()}; swap or correct them"
            raise SchemaError(msg)

    def _about(self) -> str:
        return f"the finding {self.kind!r} of {self.asset or 'all assets'} {self.signal}".rstrip()


def findings_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return findings as a table, one row each, in their order.

    Returns
    -------
    DataFrame
        Columns ``kind, source, tag, asset, signal, since, until, confidence, evidence, fix``: text, but ``since`` and
        ``until`` datetime64[ns] (NaT where they are None) and ``confidence`` float64; also without any findings.

    >>> findings_frame([Finding("unit", asset="B2", confidence=0.9)])[["kind", "asset", "since", "confidence"]]
       kind asset since  confidence
    0  unit    B2   NaT         0.9
    """
    import pandas as pd  # noqa: PLC0415  (takes a third of a second)

    rows = list(findings)
    columns: dict[str, pd.Series] = {}
    for field in fields(Finding):
        values = [getattr(row, field.name) for row in rows]
        if field.name in ("since", "until"):
            instants = [np.datetime64("NaT", "ns") if value is None else value for value in values]
            columns[field.name] = pd.Series(np.array(instants, dtype="datetime64[ns]"))
        else:
            columns[field.name] = pd.Series(values, dtype="float64" if field.name == "confidence" else "str")
    return pd.DataFrame(columns)
