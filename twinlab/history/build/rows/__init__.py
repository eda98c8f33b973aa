"""Rows: the claims of the ledger that a build needs.

In: sources with their mappings, and a window of cells. Out: the claims of that window, and those that share a key with one of them.
Read in order: `claim_file` (of a rebuild), `frame_cache`, `source_view` (one source), `ledger_claims` (all of them).
Never: a claim of the window left out, or given twice.
"""
