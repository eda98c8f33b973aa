"""Quantities and distributions times a factor."""

from __future__ import annotations

import re
from typing import Final, TypeVar

from twinlab.simulate.network.distributions import TimeDistribution

__all__ = ["scaled", "scaled_text"]

One = TypeVar("One", bound=TimeDistribution)

_NUMBER: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
#: Fields of distributions that are times; the others are shapes.
_TIMES: Final = ("value", "mean", "low", "mode", "high", "sd", "scale")


def scaled_text(text: str, factor: float) -> str:
    """Return a quantity times a factor, in the same unit.

    >>> scaled_text("60 /h", 1.2), scaled_text("2 min", 1)
    ('72 /h', '2 min')
    """
    match = _NUMBER.match(text)
    if factor == 1 or match is None:
        return text
    return f"{float(match[1]) * factor:.12g}{text[match.end() :]}"


def scaled(distribution: One, factor: float) -> One:
    """Return the distribution of a time that is multiplied by a factor.

    >>> from twinlab.simulate.network import LogNormal
    >>> scaled(LogNormal(mean="2 h", cv=0.3), 1.5).mean
    '3 h'
    """
    if factor == 1:
        return distribution
    fields = type(distribution).model_fields
    update: dict[str, object] = {
        name: scaled_text(getattr(distribution, name), factor) for name in _TIMES if name in fields
    }
    if "values" in fields:
        update["values"] = tuple(value * factor for value in getattr(distribution, "values"))  # noqa: B009  (of some kinds)
    return distribution.model_copy(update=update)
