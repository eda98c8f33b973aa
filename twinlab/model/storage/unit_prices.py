"""What requests, traffic, processor time and energy cost, as ``storage.unit_prices`` in ``twin.yaml`` states them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AfterValidator

from twinlab.model.basics import Model

__all__ = ["UnitPrice", "UnitPrices"]

_PRICE = re.compile(r"\s*(?P<amount>\d+(?:\.\d+)?)\s*(?P<currency>[A-Z]{3}|[€$£])\s*/\s*(?P<unit>.+?)\s*")
#: Unit as it is written -> the unit that is priced, and how many of them it has.
_UNITS: Final[dict[str, tuple[str, float]]] = {
    "request": ("request", 1.0), "1000 requests": ("request", 1e3), "1000000 requests": ("request", 1e6),
    "GB": ("byte", 1e9), "TB": ("byte", 1e12), "core hour": ("core second", 3600.0), "kWh": ("joule", 3.6e6),
}  # fmt: skip
_WRITTEN: Final = {"request": "1000 requests", "byte": "GB", "core second": "core hour", "joule": "kWh"}


@dataclass(frozen=True)
class UnitPrice:
    """A price of one request, byte, second of a core, or joule.

    >>> UnitPrice.parse("0.005 EUR/1000 requests", "request")
    UnitPrice(amount=5e-06, currency='EUR', text='0.005 EUR/1000 requests')
    """

    amount: float
    """Of one unit."""
    currency: str
    text: str
    """As it was written."""

    @classmethod
    def parse(cls, text: str, unit: str) -> UnitPrice:
        """Read a price of a unit: "request", "byte", "core second" or "joule".

        Raises
        ------
        ValueError
            If the text isn't one.
        """
        found = _PRICE.fullmatch(text)
        priced, size = _UNITS.get(found["unit"] if found is not None else "", ("", 1.0))
        if found is None or priced != unit:
            msg = f"expected a price such as '0.05 EUR/{_WRITTEN[unit]}', got {text!r}"
            raise ValueError(msg)
        return cls(float(found["amount"]) / size, found["currency"], text)


def _of(unit: str) -> AfterValidator:
    def checked(text: str) -> str:
        UnitPrice.parse(text, unit)
        return text

    return AfterValidator(checked)


class UnitPrices(Model):
    """Prices beside those of storage: ``storage.unit_prices`` in ``twin.yaml``, for ``twinlab plan``."""

    put: Annotated[str, _of("request")] | None = None
    """Price of writing requests of an object store: "0.005 EUR/1000 requests"."""
    get: Annotated[str, _of("request")] | None = None
    """Price of reading requests of an object store: "0.0004 EUR/1000 requests"."""
    egress: Annotated[str, _of("byte")] | None = None
    """Price of what leaves the object store's network: "0.09 EUR/GB"."""
    core: Annotated[str, _of("core second")] | None = None
    """Price of a rented core: "0.04 EUR/core hour"; energy is then usually included."""
    energy: Annotated[str, _of("joule")] | None = None
    """Price of electricity: "0.28 EUR/kWh"."""

    @property
    def parsed(self) -> dict[str, UnitPrice]:
        """The prices that are stated, by key."""
        units = {"put": "request", "get": "request", "egress": "byte", "core": "core second", "energy": "joule"}
        return {
            key: UnitPrice.parse(text, unit) for key, unit in units.items() if (text := getattr(self, key)) is not None
        }
