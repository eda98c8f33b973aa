"""Units: one catalogue of field spellings, one exact conversion, and a refusal where either would be a guess.

In: a unit as a file, a header or a person spells it; numbers. Out: the canonical spelling; converted numbers.
Read in order: `table` (the catalogue), `spelling`, `common` (usual pairs without pint), `conversions`.
Never: a conversion between things that aren't the same quantity, an ambiguous spelling accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.model.units.conversions import Conversion, compatible, conversion, convert
    from twinlab.model.units.spelling import canonical_unit, known_units

__all__ = ["Conversion", "canonical_unit", "compatible", "conversion", "convert", "known_units"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Conversion": "conversions",
        "canonical_unit": "spelling",
        "compatible": "conversions",
        "conversion": "conversions",
        "convert": "conversions",
        "known_units": "spelling",
    },
)
