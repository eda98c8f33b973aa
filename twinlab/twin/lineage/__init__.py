"""Lineage: the rows, files, definitions, flags and calibrations behind a value, an event, an exception, an alert or a KPI.

In: a twin and what is to be explained. Out: a `Lineage`: steps, the rows, a drawing.
Read in order: `steps`, `lineage`, `drawing`, `lineage_html`, `definitions` (versions of model and mappings), `values`, `events`,
`exceptions`, `found`, `kpis`, `methods`.
Never: a read of more than the span that is explained.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(__name__, {"Lineage": "lineage", "Step": "steps"})
