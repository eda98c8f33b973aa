"""The files that the network's systems write, and the truth beside them.

In: a simulated network. Out: CSV, Excel, SQLite and JSON lines in a folder.
Read in order: `writing`, `loggers`, `telematics`, `dispatch`, `erp`, `truth`.
Never: a truth that the files don't follow from.
"""
