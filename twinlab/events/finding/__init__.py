"""Find where a condition is true, over all assets of a type, or for which recorded events.

In: a bound condition (`twinlab.model.expressions`), and a history or a table of events. Out: a table of events.
Read in order: `finder`, `search`, `parts` (on a cluster), `cells`, `dataset_cells`, `properties` (conditions without a signal), `relations`, `event_rows`
and `event_columns` (recorded events), `evaluation` (a condition on arrays of cells), `scanning` (a condition on stored tiles).
Never: a Python loop over assets, a decoded tile in which the condition can't be true.
"""
