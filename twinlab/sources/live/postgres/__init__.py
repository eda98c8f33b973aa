"""PostgreSQL by logical decoding: every insert, update and delete of published tables, in the order of their commits.

In: a publication, a replication slot. Out: rows of tables; deleted rows, and old versions of changed ones, retract.
Read in order: `options`, `pgoutput` (the server's messages), `server` (queries), `place` (what is durable), `source`, `kind`.
Never: a change acknowledged before it is durable, a slot made or dropped, a write to a table.
"""
