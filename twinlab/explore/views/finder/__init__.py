"""The view that finds events: a condition, as text with completion or by clicks, and its hits over the fleet.

In: a twin to read and a condition. Out: a Panel object; the events, as a table, charts and Python.
Read in order: `explorer`, `condition` (its widgets), `builder` (a condition by clicks), `charts`, `texts` (pure).
Never: a search that blocks other readers, an event that `twinlab.events.find` didn't give.
"""
