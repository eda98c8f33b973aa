"""Recognise the content of a table: what its rows are, and which asset each row is about.

In: profiles, times and rows of a sample. Out: a `TablePlan`.
Read in order: `plan`, `assets`, `events`, `beside` (events among the rows of signals).
Never: an asset that leaves several values of one instant, where another column separates them.
"""
