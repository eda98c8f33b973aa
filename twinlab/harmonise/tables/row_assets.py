"""The asset that each row of a table is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twinlab.harmonise.cells import Rows, encode
from twinlab.harmonise.claims import Ints
from twinlab.model.mapping import AssetRule

__all__ = ["RowAssets", "row_assets"]


@dataclass(frozen=True, slots=True)
class RowAssets:
    """The asset of each row."""

    # int64[n] index into `names`; -1 where the row names no asset.
    codes: Ints
    names: Sequence[str]


def row_assets(rule: AssetRule | None, rows: Rows) -> RowAssets:
    """Return the asset of each row; all codes are -1 without a rule."""
    if rule is not None and rule.name_of is not None:
        return _named_by_file(rule, rows)
    if rule is None or rule.column is None:
        return RowAssets(
            np.full(rows.count, -1 if rule is None else 0, dtype=np.int64), () if rule is None else (rule.id or "",)
        )
    codes, terms = encode(rows.texts(rule.column))
    if rule.pattern is None:
        return RowAssets(codes, terms)
    pattern = re.compile(rule.pattern)
    ids = [_matched_id(pattern, term) for term in terms]
    names = sorted({name for name in ids if name is not None})
    place = {name: code for code, name in enumerate(names)}
    lut = np.array([*(-1 if name is None else place[name] for name in ids), -1], dtype=np.int64)
    found = lut[codes]
    rows.findings.problem_rows(
        (found < 0) & (codes >= 0),
        column=rule.column,
        texts=rows.texts(rule.column),
        reason=f"expected an asset id that matches {rule.pattern!r}",
    )
    return RowAssets(found, names)


def _named_by_file(rule: AssetRule, rows: Rows) -> RowAssets:
    """Return the asset that the name of the rows' file, folder or sheet states; no asset, and a finding, if it states none."""
    folder, _, file = (rows.path or "").rpartition("/")
    stem = file.rpartition(".")[0] or file
    name = {"file": stem or rows.table, "folder": folder, "sheet": rows.table}[rule.name_of or "sheet"]
    found = name if rule.pattern is None else _matched_id(re.compile(rule.pattern), name)
    if found:
        return RowAssets(np.zeros(rows.count, dtype=np.int64), (found,))
    if name:
        message = f"the name of the {rule.name_of} {name!r} doesn't match the pattern {rule.pattern!r} of the asset"
    else:
        message = (
            f"the rows of the table {rows.table!r} came without the name of a {rule.name_of}; ingest their file again"
        )
    rows.findings.unknown_term(f"asset of {name or rows.table!r}", rows.count, message)
    return RowAssets(np.full(rows.count, -1, dtype=np.int64), ())


def _matched_id(pattern: re.Pattern[str], term: str) -> str | None:
    match = pattern.search(term)
    if match is None:
        return None
    return match["id"] if "id" in pattern.groupindex else match[0]
