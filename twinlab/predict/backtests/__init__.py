"""Backtests: what a predictor would have predicted, from what was known then, at many issue times, beside its baselines.

In: a predictor, a twin, a span of issue times. Out: predictions, scores by lead time and group, significance, cost, and the leak of final data.
Read in order: `plan` (issue times and fits), `block` (the work between two fits), `checkpoints` (finished blocks on disk),
`run`, `costs`, `result`.
Never: a fit or a prediction from a state that is later than its issue time; a score without its baselines.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(__name__, {"Backtest": "result", "backtest": "run"})
