"""The live part of the Now page: how fresh sources and assets are; follow, pause, and back into history.

In: a twin with live sources. Out: a bar that says what the page shows and how fresh it is, and tables of freshness.
Read in order: `freshness` (what is read, and its texts), `tables` (as HTML), `bar`, `follow`.
Never: an age without its word, a change of rows or map while the page is paused.
"""
