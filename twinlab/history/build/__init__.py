"""Build: claims become cells with values and flags. Pure functions, used by the writer and by readers for the tail.

In: claims of a span. Out: integers at the stored resolution, flags, tables of events.
Read in order: `group_spec`, `cuts`, `blocks`, `build`, `resolve`, `kernels`, `partition`, `source_priority`, `event_tables`, then how rows are
found: `rows`, `mapping_context`, and what changed: `vacancy`, `late`, `update`, `catchup`, `table_updates`, `report`.
Never: a write (but to the temporary file of a rebuild), a result that depends on the order of arrival.
"""
