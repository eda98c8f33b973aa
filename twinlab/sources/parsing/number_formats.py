"""Detect the format of numbers in text cells: decimal and thousands separators."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from twinlab.sources.parsing.numerals import Numerals

__all__ = ["detect_numerals"]

_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("dot groups", re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:\.\d{3}){2,}|(?:\.\d{3})+,\d+)")),
    ("comma groups", re.compile(r"[+-]?[1-9]\d{0,2}(?:(?:,\d{3}){2,}|(?:,\d{3})+\.\d+)")),
    ("space groups", re.compile(r"[+-]?[1-9]\d{0,2}(?:[ \u00a0\u202f\u2009]\d{3})+(?:[.,]\d+)?")),
    ("quote groups", re.compile(r"[+-]?[1-9]\d{0,2}(?:['\u2019]\d{3})+(?:[.,]\d+)?")),
    ("dot or comma group", re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")),
    ("dot group or dot", re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")),
    ("comma", re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")),
    ("dot", re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?")),
)
#: The first shape that a cell has is its group: one search, as 200 files have half a million cells.
_ANY_SHAPE = re.compile("|".join(f"({pattern.pattern})" for _, pattern in _SHAPES))


def detect_numerals(cells: Sequence[str]) -> tuple[Numerals, list[str]]:
    """Return the format of numbers, and the evidence; ambiguous formats aren't guessed.

    Parameters
    ----------
    cells : sequence of str
        Cells of any columns; cells that aren't numbers are ignored.
    """
    seen: Counter[str] = Counter()
    example: dict[str, str] = {}
    for raw in cells:
        cell = raw.strip()
        found = _ANY_SHAPE.fullmatch(cell)
        if found is not None and found.lastindex is not None:
            shape = _SHAPES[found.lastindex - 1][0]
            seen[shape] += 1
            example.setdefault(shape, cell)
            if shape in {"space groups", "quote groups"} and (tail := re.search(r"[.,]", cell)):
                seen["comma" if tail.group() == "," else "dot"] += 1
                example.setdefault("comma" if tail.group() == "," else "dot", cell)
    comma = seen["comma"] + seen["dot groups"]
    dot = seen["dot"] + seen["comma groups"]
    evidence: list[str] = []
    decimal = "," if comma > dot else "."
    thousands = _thousands(seen, decimal, dot=dot, comma=comma)
    if decimal == ",":
        shown = example.get("comma") or example["dot groups"]
        evidence.append(f"decimal comma: {comma} cells such as {shown!r}")
    if comma and dot:
        evidence.append(f"both decimal commas ({comma} cells) and points ({dot} cells) seen: the fewer stay text")
    if thousands:
        evidence.append(f"thousands separator {thousands!r}: such as {_group_example(example, thousands)!r}")
    elif seen["dot or comma group"] and not comma:
        shown = example["dot or comma group"]
        evidence.append(f"{shown!r} may be a decimal or a thousands comma: kept as text; say decimal or thousands")
    return Numerals(decimal, thousands), evidence


def _thousands(seen: Counter[str], decimal: str, *, dot: int, comma: int) -> str:
    if decimal == ",":
        if seen["dot groups"] or (seen["dot group or dot"] and not dot):
            return "."
    elif seen["comma groups"] or (seen["dot or comma group"] and dot and not comma):
        return ","
    if seen["space groups"]:
        return " "
    return "'" if seen["quote groups"] else ""


def _group_example(example: dict[str, str], thousands: str) -> str:
    shapes = {".": ("dot groups", "dot group or dot"), ",": ("comma groups", "dot or comma group")}
    names = shapes.get(thousands, ("space groups", "quote groups"))
    return next((example[name] for name in names if name in example), thousands)
