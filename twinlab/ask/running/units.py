"""Say a result in another unit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.ask.running.result import Result, cannot_tell
from twinlab.errors import TwinlabError
from twinlab.model.units import convert

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["in_unit"]

_IN_UNIT = ("value", "mean", "min", "max", "low", "high", "start_delay", "end_delay")


def in_unit(result: Result, unit: str, columns: Sequence[str] = ()) -> Result:
    """Return a result with its value, its bounds and its columns converted.

    Parameters
    ----------
    result : Result
    unit : str
    columns : sequence of str
        Columns in the unit of the value, beside those that always are.

    Raises
    ------
    NotUnderstoodError
        If the result isn't a number with a unit that can be converted.
    """
    if not result.unit or isinstance(result.value, str | pd.Timestamp):
        cannot_tell("no_unit", unit=unit)

    def converted(value: float) -> float:
        return float(convert(value, result.unit, unit))

    try:
        value = None if result.value is None else converted(float(result.value))
    except TwinlabError:
        cannot_tell("no_unit", unit=unit)
    table = result.table.copy()
    for name in table:
        if name in (*_IN_UNIT, *columns) and pd.api.types.is_numeric_dtype(table[name]):
            table[name] = convert(table[name].to_numpy(dtype=float), result.unit, unit)
    names = {
        name: converted(float(one)) if name in ("low", "high") and one is not None else one
        for name, one in result.names.items()
    }
    return replace(result, value=value, unit=unit, table=table, names=names)
