"""Store: tiles, codecs, catalogue and publication of the history's files.

In: rectangles of cells. Out: chunks of Zarr arrays in one Icechunk repository.
Read in order: `catalog`, `vacant`, `codecs`, `tiles`, `fold`, `cells`, `chunk_reader`, `tables`,
`column_tables` (of earlier versions), `event_parts`, `view`, `publish`, `opening`.
Never: a byte used before its checksum is verified, a publication that a power cut leaves between two states.
"""
