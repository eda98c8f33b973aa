"""The Events page: what was planned, what happened, how late.

In: an event table and filters. Out: a summary line, a chart, a map of routes and the table, each filtering the
others.
Read in order: `page`, `summary`, `bins` and `stacks` (pure), `plot` (HoloViews), `live_chart` (Bokeh).
Never: a Python loop over events.
"""
