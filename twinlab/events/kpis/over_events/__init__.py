"""Aggregates over events, from event tables.

In: bound aggregates, the events of windows with their groups. Out: each aggregate by window and group, with bounds.
Read in order: `results`, `leaves` (columns), `aggregates`.
Never: an event left out because something of it isn't known.
"""
