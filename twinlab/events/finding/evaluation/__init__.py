"""Evaluate a bound condition on cells: arrays (time, asset) of true, false and unknown.

In: a condition (`twinlab.model.expressions.bound`) and a `Block` of cells. Out: an array of `truth`, one number for each cell.
Read in order: `truth`, `block`, `conditions` (and values), `windows`, `changes`, `reach` (how far before a cell the block must begin).
Never: a file read, a Python loop over assets.
"""
