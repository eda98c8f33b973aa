"""Tables: write the events, assets and relationships that an update changes, within a transaction.

In: rows of the ledger as tables. Out: stored tables; of events, parts of bounded size and one of recent changes.
Read in order: `tabular`, `event_updates`, `event_index`, `table_writer`.
Never: a part rewritten that no row changes.
"""
