"""The dispatcher's workbook: exceptions go out, notes and acknowledgements come back.

In: a table of exceptions, or an edited workbook. Out: an Excel file, or a list of changes to confirm.
Read in order: `rows`, `writing`, `reading`.
Never: a change applied that the person didn't confirm, a note of somebody else overwritten.
"""
