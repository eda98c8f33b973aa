"""Aggregates over the time of assets, from the cells of a history.

In: bound aggregates, windows, groups of assets. Out: each aggregate by window and group, with bounds.
Read in order: `results` (reads a part of the span at a time), `parts` (on a cluster), `cells` (what is known of them), `leaves` (of expressions),
`folding` (cells to windows and groups), `aggregates`, `counters`, `rollups` (windows that need no cells).
Never: a value in the place of one that isn't known, in a bound.
"""
