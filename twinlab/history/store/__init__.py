"""Store: tiles, codecs, catalogue, lock and publication of the history's files.

In: rectangles of cells. Out: chunks of Zarr arrays in one Icechunk repository.
Read in order: `catalog`, `codecs`, `tiles`, `fold`, `cells`, `chunk_reader`, `tables`, `view`, `publish`, `opening`, `lock`.
Never: a byte believed without its checksum, a publication that a power cut leaves between two states.
"""
