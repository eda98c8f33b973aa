"""Rows of the ledger behind an event of the history.

In: a reader and the id of an event. Out: the row of each source that states the event, with its file and line.
Read in order: `event_rows`.
Never: a read of all events where a window is known.
"""
