"""Find events on twins and on views of twins.

In: an expression. Out: an event table.
Read: `methods`.
Never: a search that isn't that of `twinlab.events.find`.
"""
