"""Prices, grams per kWh and watts per core."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from twinlab.errors import SchemaError

__all__ = ["Rates"]


@dataclass(frozen=True)
class Rates:
    """What an hour of a core and a kWh cost and emit.

    Parameters
    ----------
    price_per_kwh : float
        Price of electricity. Default: households in the EU, second half of 2024, taxes included [1]_.
    price_per_core_hour : float
        Price of an hour of a core, for rented machines. Default: 0, a machine of one's own, of which only electricity is
        paid; of a rented one set ``price_per_kwh=0``.
    currency : str
        Currency of both prices.
    grams_per_kwh : float
        Grams of CO₂ equivalents per kWh. Default: the world's mean of 2022 [2]_.
    watts_per_core : float
        Power of a busy core, where it can't be measured. Default: the tool's default of [3]_ for any processor.
    overhead : float
        Energy of the building (cooling, power supplies) as a multiple of the processor's, the PUE. Default: 1, a machine on a
        desk; data centres have 1.67 on average [3]_.

    Raises
    ------
    SchemaError
        If a rate is negative, or the overhead is below 1.

    References
    ----------
    .. [1] Eurostat, nrg_pc_204, electricity prices for household consumers, published 2025-05-06: 28.72 EUR per 100 kWh.
    .. [2] Ember, Global Electricity Review 2023: 436 g CO₂ per kWh.
    .. [3] L. Lannelongue, J. Grealey, M. Inouye, "Green Algorithms: Quantifying the Carbon Footprint of Computation",
       Advanced Science 8 (2021), 2100707, and its tool: 12 W per core, PUE 1.67.

    Examples
    --------
    >>> Rates().watts_per_core
    12.0
    """

    price_per_kwh: float = 0.2872
    price_per_core_hour: float = 0.0
    currency: str = "EUR"
    grams_per_kwh: float = 436.0
    watts_per_core: float = 12.0
    overhead: float = 1.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            least = 1.0 if name == "overhead" else 0.0
            if name != "currency" and not value >= least:
                msg = f"expected {name} of at least {least:g}, got {value}"
                raise SchemaError(msg)
