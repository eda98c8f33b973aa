"""Revisions: a history built under other mappings or another model, on a branch of its own; compared, promoted or discarded.

In: the published history, the definitions it was built with, and others. Out: a branch that has the changed cells and shares
all other chunks with the published history; what differs between the two.
Read in order: `branch`, `claim_changes` (which cells have other claims), `plan`, `revise` (build and catch up), `promote`, then
`cell_changes` and `table_changes` (what differs).
Never: a cell of the published history changed before it is promoted, a chunk written whose cells are the same.
"""
