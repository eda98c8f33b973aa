"""Files of a view: data, Excel workbook, picture, HTML report.

In: a view's tables, plot and code. Out: one file that needs nothing else.
Read in order: `whole_file`, `data`, `excel`, `picture`, `report`.
Never: a file half written, a report that loads something from a network.
"""
