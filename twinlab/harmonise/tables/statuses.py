"""The source's own status of its values: codes in a column, as flags."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.cells import Rows, encode
from twinlab.harmonise.claims import Bools, Ints
from twinlab.harmonise.compiled import compile_mapping
from twinlab.harmonise.tags import Meaning
from twinlab.model.flags import FLAG_SEVERITY, Flag
from twinlab.model.mapping import Mapping, StatusRule, TableRule
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import TwinModel

__all__ = ["RowStatus", "status_column", "status_of_rows"]

_SEPARATORS = re.compile(r"[\s,;:]+")


class RowStatus:
    """The source's flags of the values in some rows."""

    def __init__(self, flag: npt.NDArray[np.uint8] | None) -> None:
        # uint8[n], or None if the source has no status.
        self.flag = flag

    def gone(self, count: int) -> Bools:
        """Return which of ``count`` rows (bool[n]) the source marks as missing."""
        if self.flag is None:
            return np.zeros(count, dtype=bool)
        gone: Bools = self.flag == Flag.MISSING
        return gone

    def of(self, at: Bools | Ints) -> npt.NDArray[np.uint8] | None:
        """Return the flags at some positions; None if the source has no status."""
        return None if self.flag is None else self.flag[at]


def status_of_rows(rule: TableRule, meaning: Meaning, rows: Rows) -> RowStatus:
    """Return the flags (uint8[n]) of one column's or tag's values; a code that isn't listed is reported and suspect."""
    status = meaning.rule.status or rule.status
    if status is None:
        return RowStatus(None)
    codes, terms = encode(rows.texts(status.column))
    flags = [_flag(status, term) for term in terms]
    counts = np.bincount(codes[codes >= 0], minlength=len(terms))
    for term, flag, count in zip(terms, flags, counts.tolist(), strict=True):
        if flag is None:
            message = (
                f"the column {status.column!r} has the code {term!r}, which isn't in `codes:` of its `status:`, so the "
                f"values are suspect; add it there{nearest(term, status.codes)}"
            )
            rows.findings.unknown_term(f"status {term!r}", count, message)
    lut = np.array([*(Flag.SUSPECT if flag is None else flag for flag in flags), Flag[status.blank.upper()]], np.uint8)
    return RowStatus(lut[codes])


def status_column(mapping: Mapping, model: TwinModel, table: str, tag: str) -> str | None:
    """Return the column with the source's status of a tag's (or column's) values in a table; None if the mapping names none."""
    for rule, tags in compile_mapping(mapping, model).rules(table):
        for meaning in tags.meanings(tag):
            status = meaning.rule.status or rule.status
            if status is not None:
                return status.column
    return None


def _flag(status: StatusRule, term: str) -> Flag | None:
    """Return the flag of one code, or the worst of several in one cell; None if one of them isn't listed."""
    parts = [term] if term in status.codes else [part for part in _SEPARATORS.split(term) if part]
    if not parts or any(part not in status.codes for part in parts):
        return None
    return min((Flag[status.codes[part].upper()] for part in parts), key=FLAG_SEVERITY.index)
