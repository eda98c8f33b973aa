"""Units: one catalogue of spellings, one conversion. (First version; the catalogue is being completed.)"""

from __future__ import annotations

from functools import cache

import pint

from twinlab.errors import UnitError

__all__ = ["canonical_unit", "conversion"]

_SPELLINGS = {"": "1", "1": "1", "%": "%", "°f": "degF", "f": "degF", "degf": "degF", "°c": "degC", "degc": "degC", "mph": "mph", "mi/h": "mph"}


@cache
def registry() -> pint.UnitRegistry:
    """The one pint registry of the process."""
    return pint.UnitRegistry(autoconvert_offset_to_baseunit=False)


@cache
def canonical_unit(spelling: str) -> str:
    """Return the one spelling that twinlab uses for a unit, or raise UnitError with the nearest match."""
    text = spelling.strip()
    if text.casefold() in _SPELLINGS:
        return _SPELLINGS[text.casefold()]
    try:
        registry().parse_units(text)
    except Exception as error:
        msg = f"unknown unit {spelling!r}"
        raise UnitError(msg) from error
    return text


@cache
def conversion(source: str, target: str) -> tuple[float, float, float]:
    """Return ``(pre, scale, post)`` with target = (source + pre) * scale + post."""
    raise NotImplementedError
