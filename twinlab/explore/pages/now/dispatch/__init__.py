"""The dispatcher's workbook: export of exceptions, import of notes and acknowledgements.

In: a table of exceptions, or an edited workbook. Out: an Excel file, or a list of changes to confirm.
Read in order: `fingerprint`, `writing`, `reading`.
Never: a change that the person didn't confirm, an overwritten note of somebody else.
"""
