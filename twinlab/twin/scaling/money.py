"""What a twin of some size costs a month, as far as prices are stated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twinlab._rates import Rates
from twinlab.errors import SchemaError
from twinlab.model.storage.price import MONTH_DAYS, Price
from twinlab.simulate.cost.amounts import Amount
from twinlab.twin.scaling.forecast import Forecast, Triple, times
from twinlab.twin.scaling.workload import Workload

if TYPE_CHECKING:
    from twinlab.model.storage.price import StorageRule

__all__ = ["Prices"]


@dataclass(frozen=True)
class Prices:
    """Prices of ``storage:`` in ``twin.yaml``, each with where it is from; what has no price isn't there."""

    currency: str
    storage: tuple[float, str] | None = None
    """Of a byte and month."""
    put: tuple[float, str] | None = None
    """Of a request."""
    get: tuple[float, str] | None = None
    egress: tuple[float, str] | None = None
    """Of a byte."""
    core: tuple[float, str] | None = None
    """Of a second of a core."""
    energy: tuple[float, str] | None = None
    """Of a joule."""

    @classmethod
    def of(cls, rule: StorageRule | None) -> Prices:
        """Return the prices that are stated; that of the object store comes before that of the folder.

        Energy has a default price in EUR where no price of a core is stated, which would include it.

        Raises
        ------
        SchemaError
            If the object store has another currency.
        """
        units = {} if rule is None or rule.unit_prices is None else rule.unit_prices.parsed
        stated: dict[str, tuple[float, str]] = {
            key: (price.amount, f"storage.unit_prices.{key}: {price.text}") for key, price in units.items()
        }
        currencies = {price.currency for price in units.values()}
        if rule is not None:
            objects = None if rule.objects is None else rule.objects.price
            written = objects or rule.price
            if written is not None:
                price, key = Price.parse(written), "storage.objects.price" if objects else "storage.price"
                stated["storage"] = price.amount / 1e9, f"{key}: {written}"
                currencies.add(price.currency)
        if len(currencies) > 1:
            msg = f"storage: expected all prices in one currency, got {' and '.join(sorted(currencies))}"
            raise SchemaError(msg)
        currency = currencies.pop() if currencies else "EUR"
        rates = Rates()
        if "energy" not in stated and "core" not in stated and currency == rates.currency:
            stated["energy"] = rates.price_per_kwh / 3.6e6, f"default: {rates.price_per_kwh:g} EUR/kWh"
        return cls(currency, **stated)

    @property
    def lacking(self) -> list[str]:
        """Keys of ``twin.yaml`` that state no price."""
        keys = ["storage.price"] if self.storage is None else []
        return keys + [f"storage.unit_prices.{key}" for key in ("put", "get", "core") if getattr(self, key) is None]

    def amounts(self, forecast: Forecast, factor: float) -> dict[str, Amount]:
        """Return what is paid in a month, after a year, for a twin with so many times the assets."""
        work, rates = forecast.workload.scaled(factor), Rates()
        core = forecast.core_seconds_a_month(work)
        joules = times(core, rates.watts_per_core * rates.overhead)
        size, spread = forecast.bytes(factor), forecast.densities.spread
        reads = forecast.charts * MONTH_DAYS
        used: dict[str, Triple] = {
            "storage": (size, size * (1 - spread), size * (1 + spread)),
            "put": (forecast.puts_a_day(work) * MONTH_DAYS,) * 3,
            "get": (forecast.gets_a_chart() * reads,) * 3,
            "egress": (self._chart_bytes(forecast, work) * reads,) * 3,
            "core": core,
            "energy": joules,
        }
        out = {}
        for key, amount in used.items():
            price = getattr(self, key)
            if price is not None:
                how = f"{price[1]}; {rates.watts_per_core:g} W a core (default)" if key == "energy" else price[1]
                out[f"{_NAMES[key]} a month"] = Amount(*times(amount, price[0]), self.currency, how)
        if out:
            value, low, high = (sum(getattr(one, part) for one in out.values()) for part in ("value", "low", "high"))
            out["all that is priced, a month"] = Amount(value, low, high, self.currency, "sum")
        return out

    def check(self) -> None:
        """Check that storage has a price.

        Raises
        ------
        SchemaError
            If it has none.
        """
        if self.storage is None:
            msg = (
                "expected a price of storage, twin.yaml has none; state it, such as `storage: {price: 0.02 EUR/GB/month, "
                "unit_prices: {put: 0.005 EUR/1000 requests, get: 0.0004 EUR/1000 requests, core: 0.04 EUR/core hour}}`"
            )
            raise SchemaError(msg)

    @staticmethod
    def _chart_bytes(forecast: Forecast, work: Workload) -> float:
        """Return the bytes of a chart with an empty cache: two tiles of 1,024 windows by 32 assets, in each statistic's share."""
        windows = 2 * 1024 * min(32, max(one.assets for one in work.streams))
        # The finest rollup has about three quarters of the bytes of all steps, and a window for every 15 cells of a minute.
        return windows * 15 * forecast.densities.rollups


_NAMES = {
    "storage": "storage", "put": "PUT requests", "get": "GET requests", "egress": "egress", "core": "cores", "energy": "energy",
}  # fmt: skip
