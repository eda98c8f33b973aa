"""The event explorer: a table of events, fast at hundreds of thousands of rows.

In: a twin to read, an event type, filters. Out: a filtered, paged table and the code for it.
Read in order: `explorer`, `table`.
Never: more rows sent to the browser than one page.
"""
