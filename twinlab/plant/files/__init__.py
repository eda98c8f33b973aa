"""The files of the network's systems, and the true states as tables.

In: a simulated network. Out: CSV, Excel, SQLite and JSON lines in a folder.
Read in order: `writing`, `loggers`, `telematics`, `dispatch`, `erp`, `maintenance`, `weather`, `truth`.
Never: a true state that the simulation doesn't give.
"""
