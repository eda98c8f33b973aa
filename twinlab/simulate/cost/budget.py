"""Budgets: ``"2 EUR"``, ``"10 min"``, ``"0.1 kWh"``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from twinlab._rates import Rates
from twinlab.errors import SchemaError, TwinlabError
from twinlab.simulate.cost.amounts import Cost

__all__ = ["Budget", "BudgetError"]

#: Spelling of a unit -> figure of a cost, and how many of its units it has.
_UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), ("seconds", 1.0)),
    **dict.fromkeys(("min", "minute", "minutes"), ("seconds", 60.0)),
    **dict.fromkeys(("h", "hour", "hours"), ("seconds", 3600.0)),
    **dict.fromkeys(("d", "day", "days"), ("seconds", 86400.0)),
    **dict.fromkeys(("cpu s", "cpu-s", "cpu-seconds", "cpu seconds"), ("cpu_hours", 1 / 3600)),
    **dict.fromkeys(("cpu h", "cpu-h", "cpu-hours", "cpu hours"), ("cpu_hours", 1.0)),
    "kwh": ("kwh", 1.0),
    "wh": ("kwh", 1e-3),
    **dict.fromkeys(("g", "g co2", "g co₂"), ("grams", 1.0)),
    **dict.fromkeys(("kg", "kg co2", "kg co₂"), ("grams", 1e3)),
    "kb": ("bytes", 1e3),
    "mb": ("bytes", 1e6),
    "gb": ("bytes", 1e9),
    "tb": ("bytes", 1e12),
}
_PATTERN = re.compile(r"\s*([\d_.,]*\d)\s*(\S.*?)\s*")


class BudgetError(TwinlabError):
    """A run would cost more than its budget: ask for fewer replications, or raise the budget."""


@dataclass(frozen=True)
class Budget:
    """The most that a run may take.

    Parameters
    ----------
    text : str
        As it was written.
    figure : str
        Name of a figure of `Cost`.
    most : float
        In the figure's unit.
    """

    text: str
    figure: str
    most: float

    @classmethod
    def parse(cls, text: str, rates: Rates) -> Budget:
        """Return a budget from its text.

        Raises
        ------
        SchemaError
            If it isn't a number with a unit, or in another currency than the rates.

        >>> Budget.parse("10 min", Rates())
        Budget(text='10 min', figure='seconds', most=600.0)
        >>> Budget.parse("2 EUR", Rates()).figure
        'money'
        """
        found = _PATTERN.fullmatch(text)
        unit = found[2] if found else ""
        figure, size = _UNITS.get(unit.casefold(), ("money", 1.0) if unit == rates.currency else ("", 0.0))
        try:
            number = float(found[1].replace(",", "")) if found else 0.0
        except ValueError:
            number = 0.0
        if not figure or not number > 0:
            msg = (
                f"expected a budget such as '2 {rates.currency}', '10 min', '3 CPU h', '0.1 kWh', '50 g CO2' or '2 GB', "
                f"got {text!r}; money is in the currency of the rates"
            )
            raise SchemaError(msg)
        return cls(text, figure, number * size)

    def exceeded(self, cost: Cost) -> bool:
        """Whether the expected value of a cost is above the budget."""
        return bool(cost.amounts[self.figure].value > self.most)

    def may_be_exceeded(self, cost: Cost) -> bool:
        """Whether the upper bound of a cost is above the budget."""
        return bool(cost.amounts[self.figure].high > self.most)

    def check(self, quote: Cost) -> None:
        """Refuse what costs more.

        Raises
        ------
        BudgetError
            If the quote is above the budget.
        """
        if self.exceeded(quote):
            amount = quote.amounts[self.figure]
            fewer = int(quote.replications * self.most / amount.value)
            ask = f"ask for about {fewer:,} replications, " if fewer else ""
            msg = (
                f"expected at most {self.text}, but {quote.replications:,} replications take {amount}; {ask}raise the budget, "
                "or use over_budget='truncate'"
            )
            raise BudgetError(msg)
