"""Find events on twins and on views of twins, and statistics of signals during events.

In: an expression, or an event table. Out: an event table, or its statistics.
Read: `methods`.
Never: a search that isn't that of `twinlab.events.find`, a number that isn't that of `twinlab.events.event_statistics`.
"""
