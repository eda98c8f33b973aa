"""The six figures of a quote and of a meter, each with its interval and its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from twinlab._energy import Energy
from twinlab._html import html
from twinlab._rates import Rates

__all__ = ["Amount", "Cost", "Meter", "Quote"]

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Amount:
    """A figure.

    Parameters
    ----------
    value, low, high : float
        Expected value and 95 % interval; of something measured all three are equal.
    unit : str
    source : str
        How it was found.
    """

    value: float
    low: float
    high: float
    unit: str
    source: str

    def __str__(self) -> str:
        text = _text(self.value, self.unit)
        if self.low == self.high:
            return text
        return f"{text} ({_text(self.low, self.unit)} to {_text(self.high, self.unit)})"


@dataclass(frozen=True)
class Cost:
    """What a run takes: seconds, CPU-hours, kWh, grams of CO₂, money and bytes.

    Parameters
    ----------
    seconds : Amount
        By the clock.
    cpu_hours, kwh, grams, money, bytes : Amount
    replications : int
        Replications of all scenarios together.
    """

    seconds: Amount
    cpu_hours: Amount
    kwh: Amount
    grams: Amount
    money: Amount
    bytes: Amount
    replications: int

    @classmethod
    def of(
        cls,
        seconds: Triple,
        cpu_seconds: Triple,
        size: Triple,
        energy: Energy,
        *,
        rates: Rates,
        source: str,
        replications: int,
    ) -> Self:
        """Return the cost of seconds of clock and of processor, and of bytes.

        Parameters
        ----------
        seconds, cpu_seconds, size : (float, float, float)
            Expected value, low and high.
        energy : Energy
            Energy of the expected seconds of processor.
        source : str
            How seconds and bytes were found.
        """
        hours = _times(cpu_seconds, 1 / 3600)
        kwh = _times(cpu_seconds, energy.joules / 3.6e6 / cpu_seconds[0] if cpu_seconds[0] else 0.0)
        value, low, high = (
            hour * rates.price_per_core_hour + one * rates.price_per_kwh for hour, one in zip(hours, kwh, strict=True)
        )
        prices = f"{rates.price_per_kwh:g} {rates.currency} per kWh"
        if rates.price_per_core_hour:
            prices += f", {rates.price_per_core_hour:g} {rates.currency} per hour of a core"
        return cls(
            Amount(*seconds, "s", source),
            Amount(*hours, "CPU h", source),
            Amount(*kwh, "kWh", energy.source),
            Amount(*_times(kwh, rates.grams_per_kwh), "g CO₂", f"{rates.grams_per_kwh:g} g per kWh"),
            Amount(value, low, high, rates.currency, prices),
            Amount(*size, "B", source),
            replications,
        )

    @property
    def amounts(self) -> dict[str, Amount]:
        """The six figures by name."""
        return {name: getattr(self, name) for name in ("seconds", "cpu_hours", "kwh", "grams", "money", "bytes")}

    def to_dict(self) -> dict[str, Any]:
        """Return all as JSON has it."""
        return {name: list(vars(one).values()) for name, one in self.amounts.items()} | {
            "replications": self.replications
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return what `to_dict` gave."""
        amounts = {name: Amount(*one) for name, one in data.items() if name != "replications"}
        return cls(**amounts, replications=data["replications"])

    def __str__(self) -> str:
        lines = [f"  {amount!s:42} {amount.source}" for amount in self.amounts.values()]
        return "\n".join([f"{type(self).__name__} for {self.replications:,} replications", *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [(str(amount), amount.source) for amount in self.amounts.values()]
        template = (
            "<table><caption>{{ title }}</caption>{% for amount, source in rows %}"
            "<tr><td>{{ amount }}</td><td>{{ source }}</td></tr>{% endfor %}</table>"
        )
        title = f"{type(self).__name__} for {self.replications:,} replications"
        return str(html(template, title=title, rows=rows))


class Quote(Cost):
    """What a run will take in all, from its first chunks; what these took is in it."""

    __repr__ = Cost.__str__


class Meter(Cost):
    """What a run has taken."""

    __repr__ = Cost.__str__


#: Unit -> pairs of the smallest value and the unit to show.
_LARGER = {
    "s": ((172800.0, 86400.0, "d"), (7200.0, 3600.0, "h"), (120.0, 60.0, "min"), (0.0, 1.0, "s")),
    "CPU h": ((0.1, 1.0, "CPU h"), (0.0, 1 / 3600, "CPU s")),
    "kWh": ((0.1, 1.0, "kWh"), (0.0, 1e-3, "Wh")),
    "g CO₂": ((1000.0, 1000.0, "kg CO₂"), (0.0, 1.0, "g CO₂")),
    "B": ((1e12, 1e12, "TB"), (1e9, 1e9, "GB"), (1e6, 1e6, "MB"), (0.0, 1e3, "kB")),
}


def _times(values: Triple, factor: float) -> Triple:
    return values[0] * factor, values[1] * factor, values[2] * factor


def _text(value: float, unit: str) -> str:
    for least, size, name in _LARGER.get(unit, ()):
        if value >= least:
            return f"{_short(value / size)} {name}"
    return f"{_short(value)} {unit}".rstrip()


def _short(value: float) -> str:
    if 0 < value < 0.001:
        return "< 0.001"
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value < 10 else f"{value:.3g}"
