"""SHARE: what several servers of one twin share in a database, PostgreSQL or SQLite, through the same code.

In: ``storage.catalogues`` of ``twin.yaml``. Out: rows of the journal, statements of logins, documents with versions.
Read in order: `opening` (from the settings; the only module that works without SQLAlchemy), `tables`, `connection` (transactions, and what
their errors mean), `journal_rows` (a chain of rows), `documents`, `statements` (of logins).
Never: SQL that only one of both understands, outside of `connection`; a password in a file or in a message; a row that is written in part.
"""
