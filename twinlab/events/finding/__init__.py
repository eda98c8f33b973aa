"""Find where a condition is true, over all assets of a type.

In: a bound condition (`twinlab.model.expressions`), and a history. Out: runs of cells, or a table of events.
Read in order: `finder`, `search`, `cells`, `dataset_cells`, `evaluation` (a condition on arrays of cells), `scanning` (a condition on stored tiles).
Never: a Python loop over assets, a decoded tile in which the condition can't be true.
"""
