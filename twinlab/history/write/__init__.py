"""Write: the process that brings history up to date with the ledger, rebuilds and compacts it.

In: the ledger's rows since the last publication. Out: published transactions and a `BuildReport`.
Read in order: `historian`, `history_store`, `transaction`, `pending_tiles`, `rollup_update`, `vacant_cells`, `waiting_rows`, `tables`,
`recoding`, `limit_notes`, `state`, `removal`, `codec_change`, `rebuild`, `remote`, `housekeeping`, `maintenance`.
Never: two writers, a commit without the position that it was built from.
"""
