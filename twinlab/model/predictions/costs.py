"""What maintenance costs, as ``twin.yaml`` states it: amounts with a currency, or properties of the assets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator

from twinlab.model.basics import Model
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.expressions.contexts import Model as Names

__all__ = ["Amount", "MaintenanceCosts"]

_AMOUNT = re.compile(r"(?P<amount>\d+(?:\.\d+)?)\s*(?P<currency>[A-Z]{3}|[€$£])")
_PROPERTY = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Amount:
    """An amount of money.

    >>> Amount.parse("4000 EUR")
    Amount(value=4000.0, currency='EUR')
    """

    value: float
    currency: str

    @classmethod
    def parse(cls, text: str) -> Amount | None:
        """Return the amount in a text; None if it is none."""
        found = _AMOUNT.fullmatch(text.strip())
        return None if found is None else cls(float(found["amount"]), found["currency"])


def _cost(text: str) -> str:
    if Amount.parse(text) is None and _PROPERTY.fullmatch(text) is None:
        msg = f"expected an amount with its currency such as '4000 EUR', or the name of a property, got {text!r}"
        raise ValueError(msg)
    return text


Cost = Annotated[str, BeforeValidator(str), AfterValidator(_cost)]


class MaintenanceCosts(Model):
    """Costs of maintaining an asset of a type, and of not doing so."""

    acting: Cost
    """Of maintenance that is planned: "300 EUR", or the property of the assets that has it."""
    failing: Cost
    """Of a failure with all that follows, likewise."""

    @property
    def currency(self) -> str:
        """The currency that is stated; empty if both costs are properties."""
        found = [Amount.parse(one) for one in (self.acting, self.failing)]
        return next((one.currency for one in found if one is not None), "")

    def faults(self, asset_type: str, model: Names) -> list[tuple[str, str]]:
        """Return what of the costs doesn't fit the model: key and sentence of each."""
        if asset_type not in model.asset_types:
            return [("", f"there is no asset type {asset_type!r}{nearest(asset_type, model.asset_types)}")]
        out, currencies = [], set()
        properties = model.asset_types[asset_type].properties
        for key, text in (("acting", self.acting), ("failing", self.failing)):
            amount = Amount.parse(text)
            if amount is not None:
                currencies.add(amount.currency)
            elif text not in properties or properties[text].dtype != "number":
                numbers = [name for name, one in properties.items() if one.dtype == "number"]
                out.append(
                    (key, f"there is no property {text!r} of {asset_type!r} that is a number{nearest(text, numbers)}")
                )
        if len(currencies) > 1:
            out.append(("failing", f"expected one currency, got {' and '.join(sorted(currencies))}"))
        return out
