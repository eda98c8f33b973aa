"""Forecasts that add up: of parts, such as hubs, and of their totals.

In: predictions of parts and totals, and the history of both. Out: predictions whose totals are the sums of their parts.
Read in order: `structure` (which parts a total has), `weights` (whose forecast counts how much), `reconcile`.
Never: a total that differs from the sum of its parts; a sum over a part without a number.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(__name__, {"add_totals": "structure", "reconcile": "reconciled"})
