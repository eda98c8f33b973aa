"""The bytes of the ledger: frames, segments, dictionaries, sealed Parquet.

In: columns of a batch. Out: checksummed frames, and back, exactly.
Read in order: `frame`, `observations`, `records`, `codec`, `selection`, `dictionaries`, `segment`, `index`, `frames`, `position`,
`manifest`, `parquet`, `archived`, `sealed`, `disk`.
Never: a byte used before its checksum is verified.
"""
