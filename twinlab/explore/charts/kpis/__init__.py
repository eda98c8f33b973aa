"""Charts of numbers that people decide by: KPIs with their bounds, and what plans of retention cost and change.

In: a Dataset of `twinlab.events.kpi`, a plan's table, or names with numbers. Out: HoloViews objects.
Read in order: `kpi`, `retention`, `value_bars`.
Never: a KPI without what isn't known of it.
"""
