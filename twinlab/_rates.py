"""Prices, grams per kWh and watts per core."""

from __future__ import annotations

import importlib
import os
from dataclasses import asdict, dataclass

from twinlab.errors import SchemaError, SourceError

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
    watts_from : str
        Where ``watts_per_core`` is from; shown beside the energy.
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
    watts_from: str = "the default of Green Algorithms"
    overhead: float = 1.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            least = 1.0 if name == "overhead" else 0.0
            if not isinstance(value, str) and not value >= least:
                msg = f"expected {name} of at least {least:g}, got {value}"
                raise SchemaError(msg)

    @classmethod
    def of_this_machine(cls) -> Rates:
        """Return rates with the watts per core of this machine's processor, from the table of the package codecarbon.

        They are the processor's thermal design power divided by the cores that the system shows: too high in a virtual machine
        that has a part of the processor. The other rates are the defaults; change them by `dataclasses.replace`.

        Raises
        ------
        SourceError
            If codecarbon isn't installed, or doesn't know the processor.
        """
        try:
            found = importlib.import_module("codecarbon.core.cpu").TDP()
        except ImportError as error:
            msg = f"the package codecarbon can't be imported ({error}); pip install codecarbon, or state watts_per_core"
            raise SourceError(msg) from error
        if not found.tdp:
            msg = f"codecarbon knows no power of the processor {found.model!r}; state watts_per_core"
            raise SourceError(msg)
        cores = os.cpu_count() or 1
        return cls(
            watts_per_core=found.tdp / cores, watts_from=f"codecarbon: {found.model}, {found.tdp:g} W, {cores} cores"
        )
