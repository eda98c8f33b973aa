"""Charts of event statistics: the tables of `twinlab.events.statistics` in, HoloViews objects out.

In: what `pareto`, `duration_histogram`, `timeline` and `overlay` return. Out: HoloViews overlays, for Bokeh or Matplotlib.
Read in order: `bars` (what bars share), `pareto`, `histogram`, `windows` (a timeline), `curves` (an overlay).
Never: events counted or signals read here; colour alone.
"""
