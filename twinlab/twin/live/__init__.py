"""The historian as a process: rows of live sources become durable, are acknowledged, and are published.

In: the mappings with ``live:`` of a twin. Out: rows in the ledger, a published history, a status that any process reads.
Read in order: `process`, `lease` (one historian at a time), `runner` (one source), `batch_queue`, `appender` (groups into the ledger), `offsets`, `catalogue_check`, `gaps`, `recent`,
`publishing`, `status`, `notify`, `logs`, `methods`.
Never: an acknowledgement before the rows are durable, an unbounded queue, one source that stops the others, another way to build
the history than that of every other row.
"""
