"""Tables of pages: parts of long ones, their filters and order, and the rows of events.

In: DataFrames and what a table's widget sends. Out: the rows that a page shows.
Read in order: `table_order`, `table_filters`, `paged_table`, `event_tables`.
Never: columns of a page; they are beside the page.
"""
