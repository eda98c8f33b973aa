"""Rows of the ledger behind events of the history.

In: a reader and ids of events. Out: the rows that state them, with file and line.
Read in order: `event_rows`.
Never: a read of all events where a window is known.
"""
