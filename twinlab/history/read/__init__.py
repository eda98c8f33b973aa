"""Read: published history together with the ledger's newest rows, now or as known at some time.

In: a twin's folder. Out: lazy Datasets, tables, source rows, exports.
Read in order: `reader`, `pin_cache`, `pinned`, `datasets`, `lazy`, `dask_arrays`, `direct`, `span_reader`, `signal_kinds`, `observations`, `status`, `flat_tables`, `export`.
Never: a write, a wait for the writer, an open file in a Dask task.
"""
