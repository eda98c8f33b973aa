"""Compare an answer with the true ones: right, wrong, or refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tests.benchmarks.asked_truth import Groups, Moment, Name, Names, Number, Refuse, Starts, Truth, YesNo
from twinlab.model.units.conversions import compatible, convert

if TYPE_CHECKING:
    from twinlab.ask import Answer

__all__ = ["VERDICTS", "Judge"]

VERDICTS = ("right", "refused with a reason", "wrong with a note", "wrong without a warning", "error")

_ATOL = 1e-6


@dataclass(frozen=True)
class Judge:
    """Compares answers about a twin whose assets have these names; asset id -> name."""

    labels: dict[str, str]

    def verdict(self, answer: Answer, truths: list[Truth]) -> str:
        """Return one of `VERDICTS`."""
        if not answer.answered:
            return "right" if any(isinstance(one, Refuse) for one in truths) else "refused with a reason"
        if any(self.agrees(answer, truth) for truth in truths):
            return "right"
        return "wrong with a note" if answer.notes else "wrong without a warning"

    def agrees(self, answer: Answer, truth: Truth) -> bool:
        """Return whether an answer says this."""
        compare: dict[type, Callable[[Answer, Any], bool]] = {
            Number: _number, Name: self._name, Names: self._names, Groups: self._groups,
            Moment: self._moment, Starts: self._starts, YesNo: _yes_no, Refuse: lambda *_: False,
        }  # fmt: skip
        return compare[type(truth)](answer, truth)

    def _ids(self, values: object) -> list[str]:
        """Return ids for ids and names."""
        back = {name: one for one, name in self.labels.items()}
        return [back.get(str(one), str(one)) for one in values]  # type: ignore[attr-defined]

    def _name(self, answer: Answer, truth: Name) -> bool:
        if isinstance(answer.value, str):
            return self._ids([answer.value])[0] in truth.names
        if answer.table.empty:
            return False
        first = set(self._ids(answer.table.iloc[0])) & truth.names
        said = any(one in answer.sentence or self.labels.get(one, one) in answer.sentence for one in first)
        return bool(first) and (len(answer.table) == 1 or said)

    def _names(self, answer: Answer, truth: Names) -> bool:
        return any(set(self._ids(answer.table[one].dropna())) == truth.names for one in answer.table)

    def _groups(self, answer: Answer, truth: Groups) -> bool:
        table = answer.table
        keys: dict[Any, float] = dict(truth.values)
        months = isinstance(next(iter(keys)), pd.Timestamp)
        if len(table) != len(keys):
            return False
        for column in table:
            found = list(pd.to_datetime(table[column], errors="coerce")) if months else self._ids(table[column])
            if set(found) == set(keys):
                wanted = [keys[one] for one in found]
                return any(_close(table[other], wanted, answer.unit, truth) for other in table if other != column)
        return False

    def _moment(self, answer: Answer, truth: Moment) -> bool:
        first = [] if answer.table.empty else list(answer.table.iloc[0])
        times = [pd.Timestamp(one) for one in (answer.value, *first) if isinstance(one, pd.Timestamp)]
        return any((one.floor("D") if truth.day else one) in truth.times for one in times)

    def _starts(self, answer: Answer, truth: Starts) -> bool:
        times = answer.table.select_dtypes("datetime")
        return any(set(times[one]) == truth.times for one in times)


def _number(answer: Answer, truth: Number) -> bool:
    if truth.noted and not answer.notes:
        return False
    value = answer.value
    if value is None and len(answer.table) == 1:
        return any(_close(answer.table[one], [truth.value], answer.unit, truth) for one in answer.table)
    return not isinstance(value, str | None) and _close(pd.Series([value]), [truth.value], answer.unit, truth)


def _close(found: pd.Series, wanted: list[float], unit: str, truth: Number | Groups) -> bool:
    if pd.api.types.is_timedelta64_dtype(found):
        found, unit = found / pd.Timedelta(minutes=1), "min"
    if not pd.api.types.is_numeric_dtype(found) or found.isna().any():
        return False
    values = found.to_numpy(dtype=float)
    if unit and truth.unit and unit != truth.unit:
        if not compatible(unit, truth.unit):
            return False
        values = convert(values, unit, truth.unit)
    return bool(np.allclose(values, wanted, rtol=truth.tolerance, atol=_ATOL))


def _yes_no(answer: Answer, truth: YesNo) -> bool:
    value = answer.value
    if value is None:
        return bool(len(answer.table)) == truth.so
    if isinstance(value, str):
        return (value in answer.question) == truth.so
    return bool(value) == truth.so
