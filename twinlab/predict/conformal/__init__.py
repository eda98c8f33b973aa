"""Conformal intervals around any predictor: from the errors that it made on data it wasn't fitted to, by lead time and group.

In: a predictor, and a state with past cases. Out: predictions with a lower and an upper quantile whose coverage is measured; "can't tell" where a group
has too few past cases or has drifted.
Read in order: `pools` (errors by group, and their quantiles), `errors` (of past cases), `predictor`.
Never: an interval from the errors of the fit; an interval for a group that has too few cases.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(__name__, {"Conformal": "predictor", "Pools": "pools", "needed_cases": "pools"})
