"""Rows of the ledger behind events and signals of the history.

In: a reader, and ids of events or a type of assets. Out: the rows that state the events, with file and line; when the signals'
observations arrived.
Read in order: `event_rows`, `arrivals`.
Never: a read of all events where a window is known.
"""
