"""KPIs as ``kpis:`` in ``twin.yaml`` states them: name, owner, definition, formula, unit, period, target.

In: an entry of ``kpis:``. Out: a `Kpi`, and its formula bound to the model.
Read in order: `definition`, `subjects`, `formulas`.
Never: data read.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__, {"Formula": "formulas", "Kpi": "definition", "Target": "definition", "bind_formula": "formulas"}
)
