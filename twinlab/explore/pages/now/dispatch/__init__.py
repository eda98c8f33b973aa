"""The dispatcher's workbook: export of exceptions, import of notes and acknowledgements.

In: a table of exceptions, or an edited workbook. Out: an Excel file, a list of changes to confirm, or a table that spreadsheet programs
fetch.
Read in order: `fingerprint`, `writing`, `reading`, `feed`.
Never: a change that the person didn't confirm, an overwritten note of somebody else.
"""
