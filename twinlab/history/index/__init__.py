"""Index: which rows of a source's ledger concern which cells, so that a build reads only the frames it needs.

In: harmonised claims, in the order of the ledger. Out: numbers of row ranges, watermarks, first observations, late claims.
Read in order: `columns`, `reach`, `late_rows`, `source_index`, `index_file`.
Never: a cost that grows with the number of frames where only new rows are concerned, a fact that isn't in the ledger.
"""
