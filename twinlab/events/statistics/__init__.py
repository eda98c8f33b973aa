"""STATISTICS of events: of a signal during each event, and of many events together.

In: an event table, and for signals a twin or a Dataset to read. Out: DataFrames; an `overlay` is a Dataset.
Read in order: `per_event` (over `cells`, `tiles` and `kernels`), `overlays`, `counts`, `timelines`.
An event that isn't over counts up to ``now``.
Never: a loop over events or assets, more than a few tiles of cells in memory.
"""
