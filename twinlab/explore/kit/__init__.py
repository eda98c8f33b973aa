"""Parts that all views share: URL state, caches, tables, HTML panes, time player, widgets.

In: parameters of a view, DataFrames. Out: widgets and helper functions; no view and no page is imported here.
Read in order: `link`, `page_state`, `session`, `cache`, `event_tables`, `present` (state at an instant),
`exception_text`, `background` (slow work in a thread), then
the widgets `panes`, `paged_table`, `table_filters`, `table_order`, `time_player`, `widgets`.
Never: a blank page; loading, empty and error states are shown as text.
"""
