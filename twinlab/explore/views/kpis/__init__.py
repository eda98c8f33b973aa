"""The view of KPIs: a tile for each, a chart by window, and what one number is made of.

In: the KPIs of a twin's model. Out: a Panel object; its numbers, as a table, a chart and Python.
Read in order: `explorer`, `tiles` (pure), `groups`, `chart`, `contributions`.
Never: a number that `twinlab.events.kpi` didn't give.
"""
