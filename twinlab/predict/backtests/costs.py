"""What the models of a backtest cost: seconds of processor, energy and money, for each prediction."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from twinlab._energy import Energy
from twinlab._rates import Rates

__all__ = ["cost_table"]


def cost_table(
    seconds: Mapping[str, float], numbers: Mapping[str, int], *, energy: Energy, rates: Rates, factor: float
) -> pd.DataFrame:
    """Return the cost of each model.

    Parameters
    ----------
    seconds : mapping of str to float
        Seconds of processor by model, as measured in its thread.
    numbers : mapping of str to int
        Predictions (numbers) of each model.
    energy : Energy
        Of all seconds together.
    rates : Rates
    factor : float
        Seconds of the process for each second of the threads: threads of libraries aren't in these.

    Returns
    -------
    DataFrame
        Columns ``model, predictions, cpu_seconds, kwh, money, currency, cpu_per_prediction, money_per_prediction`` and ``source``. Reading of
        states, which models share, is a row of its own.
    """
    total = sum(seconds.values()) * factor
    rows = []
    for name, own in seconds.items():
        cpu = own * factor
        kwh = energy.joules / 3.6e6 * (cpu / total if total else 0.0)
        money = cpu / 3600 * rates.price_per_core_hour + kwh * rates.price_per_kwh
        count = numbers.get(name, 0)
        each = count or float("nan")
        rows.append((name, count, cpu, kwh, money, rates.currency, cpu / each, money / each, energy.source))
    columns = [
        "model", "predictions", "cpu_seconds", "kwh", "money", "currency", "cpu_per_prediction", "money_per_prediction", "source",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
