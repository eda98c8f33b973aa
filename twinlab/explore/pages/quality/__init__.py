"""The Quality page: how good every signal is, and the rows behind each bad sample.

In: flags over a window. Out: a table of signals, a heat map of flags, the source rows of a cell.
Read in order: `page`, `counts` (pure), `tables`.
Never: a value changed.
"""
