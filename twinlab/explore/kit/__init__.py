"""What all views share: state in the address, caches, tables, placeholders, time player, rows of widgets.

In: parameters of a view, DataFrames. Out: widgets and small helpers; no view and no page is known here.
Read in order: `link`, `page_state`, `session`, `cache`, `placeholders`, then the widgets `paged_table`,
`table_filters`, `table_order`, `time_player`, `widget_rows`, `html_pane`.
Never: a blank page: what can't be shown is said in a sentence.
"""
