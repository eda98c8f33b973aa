"""Layout: where a cell is stored, its encoding, and the arithmetic of spans and rollups.

In: times, numbers, spans. Out: cell numbers, integers, rollups; no file is touched.
Read in order: `grid`, `encoding`, `spans`, `rollup`, `fold_kernels`.
Never: arithmetic with rounding errors; every level of a rollup is exact.
"""
