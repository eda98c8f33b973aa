"""KPIs: a number by window and group, with the least and the greatest that it can be, and how much of it is known.

In: the KPIs of ``twin.yaml``, a twin to read, a span. Out: an xarray Dataset with value, low, high, coverage, settled_until, samples.
Read in order: `compute`, `definitions`, `registry`, `kinds` (those that twinlab has), `windows`, `groups`, `bounded` and `intervals`
(arithmetic with bounds), `over_time`, `over_events`, `settled`, `table`, `contributions` (what each event or span counts as),
`window_contents` (assets, signals and events, for the lineage).
Never: a value without bounds, a gap counted as good or left out, a Python loop over assets.
"""
