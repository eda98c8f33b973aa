"""Quantities: what a column measures, by its name in several languages, and the units that fit it.

In: the name of a column, and its unit if it is known. Out: the quantity, a name for the signal, units that fit.
Read in order: `table` (quantities), `codes` (parameter codes of the USGS), `names` (the name of a column).
Never: a unit stated that the name or code doesn't state.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Name": "names",
        "ParameterCode": "codes",
        "Quantity": "table",
        "choices": "table",
        "fits": "table",
        "name_parts": "names",
        "parameter_code": "codes",
        "quantities": "table",
        "quantity_of_unit": "table",
    },
)
