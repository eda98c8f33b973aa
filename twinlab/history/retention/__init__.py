"""Retention: the bytes that a history uses, which of its older cells stay, and the bytes that it would have then.

In: the published history and its index. Out: `StorageUse`, `Kept`, `SizeEstimate`, `CodecSize`, times of rows. Removing is `twinlab.history.write.removal`, cuts are
`twinlab.history.build.cuts`.
Read in order: `storage_use`, `kept_spans`, `sizes`, `codecs`, `row_times`.
Never: a write.
"""
