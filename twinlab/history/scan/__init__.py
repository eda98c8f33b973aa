"""Stored cells tile by tile; stored rollups say which tiles needn't be decoded.

In: a Dataset as `Twin.history` returns it. Out: stored integers and flags of its tiles, and the extremes of each tile's values.
Read in order: `cell_scan` (what is scanned, its tiles, their extremes), `strip` (the tiles of some columns).
Never: another value than that of the Dataset, a tile that the caller didn't choose.
"""
