"""From history to a model: distributions, rates and times of travel fitted to what happened.

In: arrays of values, or a twin and a window. Out: fits with their goodness in words, and a calibrated model.
Read in order: `families`, `censored`, `distributions`, `arrivals`, `travel`, `breakdowns`.
Never: a parameter without the number of values it comes from; a value from outside the window.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "ArrivalRates": "arrivals",
        "Breakdowns": "breakdowns",
        "Fit": "distributions",
        "TravelTimes": "travel",
        "arrival_rates": "arrivals",
        "breakdowns": "breakdowns",
        "fit_distribution": "distributions",
        "kaplan_meier": "censored",
        "travel_times": "travel",
    },
)
