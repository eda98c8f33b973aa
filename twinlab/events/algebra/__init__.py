"""ALGEBRA: refine event tables, combine two of them, and select events by their relation in time to others.

In: event tables (DataFrames with ``start``, ``end`` and the columns of a key, ``asset`` by default); recorded events and found
ones alike. Out: event tables.
Read in order: `spans` (arrays and their order, over `kernels`).
An event is the time ``[start, end)``; without an end it isn't over, without a start it has no time yet.
Never: a Python loop over events or assets, a change of a table that was passed.
"""
