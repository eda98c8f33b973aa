"""A folder of stored runs: list, open, compare, compute again, delete.

In: a folder, models. Out: `Results`, tables.
Read in order: `catalogue`, `rerun`.
Never: a change of anything outside the folder, or of a run by another one.
"""
