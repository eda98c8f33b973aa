"""From history to a model: distributions, rates and times of travel fitted to what happened.

In: arrays of values, or a twin and a window. Out: fits with their goodness in words, and a calibrated model.
Read in order: `families`, `censored`, `distributions`, `arrivals`, `breakdowns`, `lazy_fits`; `rooms`; `twin_names`, `operation`, `demand`, `as_network`, `calibrated`,
`start_state`, `reality`, `fidelity`.
Never: a parameter without the number of values it comes from; a value from outside the window.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "ArrivalRates": "arrivals",
        "Breakdowns": "breakdowns",
        "Calibrated": "calibrated",
        "Fidelity": "fidelity",
        "Fit": "distributions",
        "StartState": "start_state",
        "arrival_rates": "arrivals",
        "breakdowns": "breakdowns",
        "fidelity": "fidelity",
        "fit_distribution": "distributions",
        "calibrate": "calibrated",
        "kaplan_meier": "censored",
        "latest_time": "start_state",
        "positions": "start_state",
        "start_state": "start_state",
    },
)
