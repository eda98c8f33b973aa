"""Charts of numbers that people decide by: KPIs with their bounds, and what plans of retention cost and change.

In: a Dataset of `twinlab.events.kpi`, or a plan's table. Out: HoloViews objects.
Read in order: `kpi`, `retention`.
Never: a KPI without what isn't known of it.
"""
