"""The plan of a growing twin: figures for each size, and which part breaks first, as text, table, HTML and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twinlab._html import html
from twinlab.simulate.cost.amounts import Amount
from twinlab.twin.scaling.forecast import Forecast
from twinlab.twin.scaling.limits import Limit, limits_of
from twinlab.twin.scaling.money import Prices

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ScalePlan"]

_TABLES = """\
<div style="overflow-x:auto"><p><b>{{ head }}</b></p><p>{{ first }}</p>\
{% for caption, columns, rows in tables %}<table><caption style="text-align:left">{{ caption }}</caption>\
<tr>{% for name in columns %}<th style="text-align:{{ 'left' if loop.first or loop.last else 'right' }};padding:0 .5em">{{ name }}</th>{% endfor %}</tr>\
{% for name, cells, last in rows %}<tr><th style="text-align:left">{{ name }}</th>\
{% for cell in cells %}<td style="text-align:right;padding:0 .5em;white-space:nowrap">{{ cell }}</td>{% endfor %}\
<td style="text-align:left">{{ last }}</td></tr>{% endfor %}</table>{% endfor %}\
{% for note in notes %}<p>{{ note }}</p>{% endfor %}</div>"""


@dataclass(frozen=True)
class ScalePlan:
    """What a twin needs and costs with more assets, after a year, and what breaks first.

    Figures are expected values with the interval within which nine of ten or more are expected; costs of steps are seconds of
    processor. Each has its source: the model, the layout, the twin's own history, the pilot, a key of ``twin.yaml``, or a default.
    """

    name: str
    forecast: Forecast
    prices: Prices
    factors: tuple[float, ...]

    def amounts(self, factor: float) -> dict[str, Amount]:
        """Return the figures of a twin with so many times the assets.

        Raises
        ------
        SchemaError
            If the factor isn't a number of at least 1.
        """
        return {**self.forecast.amounts(factor), **self.prices.amounts(self.forecast, factor)}

    def cost(self, factor: float) -> Amount:
        """Return what all that has a price costs a month.

        Raises
        ------
        SchemaError
            If storage has no price, or the factor isn't a number of at least 1.
        """
        self.prices.check()
        return self.amounts(factor)["all that is priced, a month"]

    @property
    def limits(self) -> list[Limit]:
        """The parts that can't grow for ever, the first that breaks at the front."""
        return limits_of(self.forecast)

    def table(self) -> pd.DataFrame:
        """Return figures (rows): a value, ``low`` and ``high`` for each factor, ``unit`` and ``source``."""
        import pandas as pd  # noqa: PLC0415

        every = {factor: self.amounts(factor) for factor in self.factors}
        first = every[self.factors[0]]
        columns: dict[tuple[str, str], list[Any]] = {}
        for factor, found in every.items():
            for part in ("value", "low", "high"):
                columns[_factor_text(factor), part] = [getattr(found[name], part) for name in first]
        columns["", "unit"] = [one.unit for one in first.values()]
        columns["", "source"] = [one.source for one in first.values()]
        return pd.DataFrame(columns, index=list(first))

    def limit_table(self) -> pd.DataFrame:
        """Return limits (rows): capacity, demand today, the factor at which it breaks, assumption and advice."""
        import pandas as pd  # noqa: PLC0415

        rows = [
            {
                "limit": one.name, "unit": one.unit, "capacity": one.capacity, "today": one.demand(1.0), "breaks_at": one.breaks_at(),
                "assumption": one.assumption, "advice": one.advice,
            }
            for one in self.limits
        ]  # fmt: skip
        return pd.DataFrame(rows).set_index("limit")

    def to_json(self) -> str:
        """Return figures and limits as JSON."""
        sizes = {
            _factor_text(factor): {name: vars(one) for name, one in self.amounts(factor).items()}
            for factor in self.factors
        }
        limits: list[Mapping[str, Any]] = [
            {
                "name": one.name, "unit": one.unit, "capacity": one.capacity,
                "demand": {_factor_text(factor): one.demand(factor) for factor in self.factors}, "breaks_at": one.breaks_at(),
                "assumption": one.assumption, "advice": one.advice,
            }
            for one in self.limits
        ]  # fmt: skip
        body = {
            "twin": self.name,
            "pilot": self.forecast.pilot,
            "sizes": sizes,
            "limits": limits,
            "no_price": self.prices.lacking,
        }
        return json.dumps(body, indent=1)

    @property
    def first(self) -> str:
        """What breaks first, in a sentence."""
        one = self.limits[0]
        at = one.breaks_at()
        if at is None:
            return "Nothing breaks with up to a million times the assets."
        when = "today" if at == 1.0 else f"at {_times(at)} today's assets"
        have, need = (
            str(Amount(value, value, value, one.unit, "")) for value in (one.capacity, one.demand(max(at, 1.0)))
        )
        return f"Breaks first, {when}: {one.name} ({need} needed, {have} there). Assumed: {one.assumption}. Then: {one.advice}."

    @property
    def notes(self) -> list[str]:
        """What isn't in the figures."""
        lacking = self.prices.lacking
        found = [f"Not priced, for want of keys in twin.yaml: {', '.join(lacking)}."] if lacking else []
        return [
            *found,
            "The ledger is counted as it is now; segments that are sealed to Parquet later were 1.7 times as large (measured.md).",
            "Figures are after a year, with the same signals and cadences and more assets; seconds are of one core of this machine.",
        ]

    def _tables(self) -> list[tuple[str, list[str], list[tuple[str, list[str], str]]]]:
        every = {factor: self.amounts(factor) for factor in self.factors}
        shown = [_times(factor) for factor in self.factors]
        rows = [
            (name, [*(_alone(found[name]) for found in every.values()), _spread(one)], one.source)
            for name, one in every[self.factors[0]].items()
        ]
        limits = [
            (one.name, [_share(one.demand(factor) / one.capacity) for factor in self.factors], _breaks(one))
            for one in self.limits
        ]
        return [
            ("What it needs", ["after a year", *shown, "±", "source"], rows),
            (
                "How much is used of what there is (more than 100 % doesn't work)",
                ["limit", *shown, "breaks at"],
                limits,
            ),
        ]

    @property
    def _advice(self) -> list[str]:
        """Return what to do about each limit that breaks within the sizes that are asked for."""
        largest = max(self.factors)
        reached = [one for one in self.limits if (one.breaks_at() or float("inf")) <= largest]
        return [f"{one.name}: {one.advice}. Assumed: {one.assumption}." for one in reached]

    def __str__(self) -> str:
        lines = [self._head, self.first]
        for caption, columns, rows in self._tables():
            lines += ["", caption]
            table = [columns, *([name, *cells, last] for name, cells, last in rows)]
            widths = [max(map(len, column)) for column in zip(*table, strict=True)]
            for row in table:
                middle = [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
                lines.append("  ".join([row[0].ljust(widths[0]), *middle, row[-1]]).rstrip())
        advice = [f"- {text}" for text in self._advice]
        return "\n".join([*lines, *(["", "What to do then", *advice] if advice else []), "", *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = [*self._advice, *self.notes]
        return str(html(_TABLES, head=self._head, first=self.first, tables=self._tables(), notes=notes))

    @property
    def _head(self) -> str:
        return f"Plan for the twin {self.name}; {self.forecast.pilot}"


def _factor_text(factor: float) -> str:
    return f"{factor:g}"


def _times(factor: float) -> str:
    return f"{factor:,.0f} x" if factor >= 10 else f"{factor:.2g} x"


def _alone(one: Amount) -> str:
    return str(Amount(one.value, one.value, one.value, one.unit, ""))


def _spread(one: Amount) -> str:
    return f"{(one.high - one.low) / 2 / one.value:.0%}" if one.value and one.high > one.low else ""


def _breaks(one: Limit) -> str:
    at = one.breaks_at()
    return "" if at is None else "today" if at == 1.0 else _times(at)


def _share(share: float) -> str:
    return f"{share:,.0%}" if share >= 0.01 else "< 1%"
