"""Personal columns of records, encrypted under a key of the person and the month in which the rows arrived.

In: rows with the columns that are personal, keys. Out: rows in which the ciphertexts of each person replace these columns, and back;
where a key was destroyed, the columns of that person's rows are null.
Read in order: `columns`, `encryption`, `files`.
Never: a personal value, or the name of a person, in the clear.
"""
