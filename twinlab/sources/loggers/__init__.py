"""File formats of data loggers and historians, recognised by their signature and read by name.

In: a file whose first lines have the signature of a logger. Out: the same `RowBatch` as from any file, with names and
units from the logger's header; facts of the header that are about every row (station, serial number) are columns.
Read in order: `base` (a delimited file with a known header), then one module a format.
Never: a header that differs from the signature and is read nevertheless.
"""
