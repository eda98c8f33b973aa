"""Synthetic twins: a twin like another one, of which nobody observed anything.

In: anything that reads like a twin, a folder, a seed. Out: a twin in that folder, written through its ledger like any other, with what was
planted where, and how alike and how far from the original it is.
Read in order: `definition`, `history`, `records`, `scores`, `generated`, `generate`, `methods`.
Never: a synthetic twin that doesn't say so; a personal value; a command.
"""
