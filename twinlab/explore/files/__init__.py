"""Exports of a view: data, Excel workbook, picture, HTML report.

In: a view's tables, plot and code (`exportable`). Out: one self-contained file.
Read in order: `exportable`, `data`, `excel`, `picture`, `report`.
Never: a partly written file, a report that loads something from a network.
"""
