"""Where a twin's journal, logins and plans are: in files, or in a database that several servers share.

In: ``storage.catalogues`` of ``twin.yaml``. Out: a database, or None for files.
Read in order: `opening`, `moving` (``twinlab catalogues --move``), `definitions` (KPIs and scenarios of people, in the journal), `definition_methods`,
`methods`.
Never: SQLAlchemy loaded for a twin whose catalogues are files.
"""
