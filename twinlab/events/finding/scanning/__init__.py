"""Scan stored tiles for where a condition is true: rollups say which tiles can't have a hit, and the others are decoded once.

In: a bound condition and a scan of stored cells (`twinlab.history.scan`). Out: runs of cells, the same as `evaluation` gives.
Read in order: `spans` (what `search` asks for), `scan`, `pruning` (what a condition can be in a tile), `static` (what doesn't
change in time), `ranges` (comparisons of stored integers), `strip_scan`, `kernels`, `threads`.
Never: an array of truths of all cells, a decoded tile in which the condition can't be true.
"""
