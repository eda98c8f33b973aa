"""Text to typed columns: decoding, records, layout of a table, numbers.

In: bytes or Python values of cells. Out: typed Arrow columns, with each cell that is of another type kept as text.
Read in order: `decoding`, `records`, `sniffing`, `layout`, `columns`, `numerals`, `number_formats`, `values`, `json_objects`, `spans`.
Never: a digit changed, a cell lost.
"""
