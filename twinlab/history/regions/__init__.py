"""Plain Zarr stores that are written a region of their first dimension at a time, and grow.

In: a Dataset as a template, then Datasets of its regions in any order. Out: files that ``xr.open_zarr`` opens; lazy Datasets.
Read in order: `region_store`.
Never: a chunk file that is half written, a wrong number from bytes that changed.
"""
