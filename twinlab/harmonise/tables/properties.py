"""Columns as properties of assets and events, in the types and units of the model."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from twinlab.errors import UnitError
from twinlab.harmonise.cells import MissingCodes, Rows, encode, plain_texts
from twinlab.harmonise.claims import NAT, Context, Floats, Ints
from twinlab.harmonise.times.resolve import resolve_times
from twinlab.model.mapping import ColumnRule, TimeRule
from twinlab.model.twinmodel import PropertySpec
from twinlab.model.units import conversion

__all__ = ["arrow_type", "as_instants", "property_array", "text_array"]

_TYPES = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "time": pa.timestamp("ns"),
}
_TRUE = {
    "true": True,
    "t": True,
    "yes": True,
    "y": True,
    "1": True,
    "false": False,
    "f": False,
    "no": False,
    "n": False,
    "0": False,
}


def arrow_type(spec: PropertySpec) -> pa.DataType:
    """Return the Arrow type of a property.

    >>> arrow_type(PropertySpec(dtype="number"))
    DataType(double)
    """
    return _TYPES[spec.dtype]


def as_instants(times: Ints) -> pa.Array:
    """Return int64 ns with NAT as timestamp[ns] with nulls."""
    return pa.array(times, mask=times == NAT).cast(pa.timestamp("ns"))


def text_array(rule: ColumnRule, rows: Rows) -> pa.Array:
    """Return a column as text (string[n]): missing-value codes are null, values are replaced as the rule states."""
    codes, terms = encode(rows.texts(rule.column))
    none = MissingCodes(rule.missing)
    if rule.texts_only:
        # Numbers in the column aren't missing: they are another property.
        keep = np.array([*(np.isnan(_number(term)) for term in terms), False])
        codes = np.where(keep[codes], codes, -1)
    spelt: list[str | None] = []
    for term, is_text in zip(terms, none.among(terms), strict=True):
        is_code = is_text or (bool(none.numbers) and _number(term) in none.numbers)
        value = None if is_code else (rule.values or {}).get(term, term)
        spelt.append(None if value is None else str(value))
    rows.findings.missing += (0 if rule.texts_only else int((codes < 0).sum())) + _count(
        codes, [text is None for text in spelt]
    )
    if spelt == terms and not rule.texts_only:
        return plain_texts(rows.texts(rule.column))
    return pa.array([*spelt, None], pa.string()).take(pa.array(np.where(codes < 0, len(terms), codes)))


def _number(term: str) -> float:
    try:
        return float(term)
    except ValueError:
        return float("nan")


def _count(codes: Ints, wanted: list[bool]) -> int:
    return int(np.array([*wanted, False])[codes].sum())


def property_array(rule: ColumnRule, spec: PropertySpec, rows: Rows, context: Context) -> pa.Array:
    """Return a column as a property in the model's type and unit; null where empty, missing or unreadable (reported)."""
    if spec.dtype == "text":
        return text_array(rule, rows)
    if spec.dtype == "boolean":
        return _booleans(rule, rows, {**_TRUE, "true": True, "false": False}, "expected true or false")
    if spec.dtype == "time":
        return _instants(rule, rows, context)
    number = _numbers(rule, spec, rows)
    none = np.isnan(number)
    if spec.dtype == "number":
        return pa.array(number, mask=none)
    whole = np.rint(number)
    with np.errstate(invalid="ignore"):
        odd = ~none & ((np.abs(whole - number) > 1e-9 * np.maximum(1.0, np.abs(number))) | (np.abs(number) >= 2**63))
    rows.findings.problem_rows(odd, column=rule.column, texts=rows.texts(rule.column), reason="expected a whole number")
    none = none | odd
    return pa.array(np.where(none, 0, whole).astype(np.int64), mask=none)


def _numbers(rule: ColumnRule, spec: PropertySpec, rows: Rows) -> Floats:
    cells = rows.cells(rule.column)
    number, empty = cells.number, cells.empty
    none = MissingCodes(rule.missing)
    if none.numbers:
        empty = empty | np.isin(number, none.numbers)
    if cells.text is not None and none:
        codes, terms = encode(cells.text)
        empty = empty | np.array([*none.among(terms), False])[codes]
    if rule.values:
        codes, terms = encode(rows.texts(rule.column))
        coded = np.array([*(_number(str(rule.values.get(term, "nan"))) for term in terms), np.nan])[codes]
        number = np.where(np.isnan(coded), number, coded)
    rows.findings.missing += int(empty.sum())
    bad = ~np.isfinite(number) & ~empty
    if bad.any():
        reason = "expected a number; if it means no value, add it to `missing:`"
        rows.findings.problem_rows(bad, column=rule.column, texts=rows.texts(rule.column), reason=reason)
    number = np.where(empty | bad, np.nan, number)
    if rule.unit is None or spec.unit is None:
        return number
    try:
        pre, scale, post = conversion(rule.unit, spec.unit)
    except UnitError as error:
        rows.findings.unknown_term(f"unit {rule.unit!r}", rows.count, f"column {rule.column!r}: {error}")
        return np.full(rows.count, np.nan)
    return (number + pre) * scale + post


def _booleans(rule: ColumnRule, rows: Rows, known: dict[str, bool], reason: str) -> pa.Array:
    text = text_array(rule, rows)
    codes, terms = encode(text)
    found: list[bool | None] = [known.get(term.casefold()) for term in terms]
    unknown = np.array([*(value is None for value in found), False])[codes]
    rows.findings.problem_rows(unknown, column=rule.column, texts=text, reason=reason)
    return pa.array([*found, None], pa.bool_()).take(pa.array(np.where(codes < 0, len(terms), codes)))


def _instants(rule: ColumnRule, rows: Rows, context: Context) -> pa.Array:
    rows.findings.missing += int(rows.without_codes(rule.column, rule.missing).empty.sum())
    clock = TimeRule(
        column=rule.column,
        format=rule.format or "iso",
        missing=rule.missing,
        zone=rule.zone or "UTC",
        ambiguous="refuse",
    )
    return as_instants(resolve_times(clock, rows, context))
