"""ALGEBRA: refine event tables, combine two of them, and select events by their relation in time to others.

In: event tables (DataFrames with ``start``, ``end`` and the columns of a key, ``asset`` by default); recorded events and found
ones alike. Out: event tables.
Read in order: `refine` (one table; where it is cut: `cuts`), `relations` (select by another table), `combine` (and, or, not), `links`
(through relationships); under them `event_spans` (tables as arrays and back) and `spans` (arrays, over `kernels`).
An event is the time ``[start, end)``. Without an end it isn't over. Without a start it has no time: it is related to nothing.
Never: a Python loop over events or assets, a change of a table that was passed.
"""
