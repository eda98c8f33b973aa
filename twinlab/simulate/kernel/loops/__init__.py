"""The functions that numba compiles: the loop over events and what it calls.

In: the arrays of a state, of a plan and of the results. Out: the same arrays, changed in place.
Read in order: `random`, `draws`, `heap`, `queues`, `serving`, `travel`, `docks` (lines of transporters), `pools` (transporters that are called), `moving`, `transport`, `breakdowns`, `tracing`, `cells`, `begin`, `borrowed`, `run` (the loop).
Never: an array that is enlarged here; a result that depends on the size of an array.
"""
