"""Synthetic histories: blocks of days of a history, joined anew, with faults and rare events planted.

In: values by day, cell and asset, and event tables. Out: such values and tables for other days, what was planted where, how alike they
are, and how far each is from what it was made of.
Read in order: `days`, `values`, `events`, `faults`, `fidelity`, `privacy`.
Never: a day copied whole; a fault that isn't in the table of truth.
"""
