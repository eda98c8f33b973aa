"""KPIs of a twin, of a view as of an earlier time, and of a revision.

In: the name of a KPI, a span. Out: an xarray Dataset, or a file.
Read in order: `methods`.
Never: arithmetic; that is in `twinlab.events.kpis`.
"""
