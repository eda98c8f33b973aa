"""How well a twin matches the truth, where it is known.

In: tables of true values. Out: errors with units, coverage, delays.
Read in order: `comparison`, `methods`.
Never: arithmetic of errors or cells, which `quality` and `history` do.
"""
