"""Kinds of KPIs that twinlab has: one module each, and a line in `twinlab.events.kpis.registry`.

In: options, and the asset type or event type that they are for. Out: a formula.
Never: data read.
"""
