"""Sheets that spreadsheet programs fetch again and again from the server of the pages: ``/sheets/``.

In: a request with a reader's login or token. Out: CSV with what this reader may see, a template for LibreOffice, how to set up a query.
Read in order: `token_login` (who asks), `handlers`, `template`, `help_page`.
Never: a row that the reader's pages wouldn't show, a token in a file or an address.
"""
