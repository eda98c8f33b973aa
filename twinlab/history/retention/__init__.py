"""Retention: what a history uses, which of its older cells can go, and removing them.

In: the published history and a decision of a person. Out: `StorageUse`, estimates, a history without those cells.
Read in order: `storage_use`.
Never: a rollup changed by what is removed, a cell removed that a decision keeps.
"""
