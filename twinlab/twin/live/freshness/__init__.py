"""How fresh the rows of each asset are.

In: the ledger of live sources, and the status that their historian writes. Out: a row for each asset: age, latency, gaps, clock.
Read in order: `arrivals` (what the ledger's newest rows say), `table` (joined with the status).
Never: a read of all rows of a source.
"""
