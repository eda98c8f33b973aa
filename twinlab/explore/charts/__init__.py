"""Charts: data in, drawings out; no widget, no view and no page is imported here.

In: a twin to read and a window, or arrays. Out: HoloViews objects, Bokeh figures that are updated in place, SVG.
Read in order: `choices`, `reading` (data for a window), `traces`, `layers`, `styles`, `palette`, `scale`, `legend`,
then `plots`, `changes` and `kpis` (HoloViews), `events` (statistics of events), `figures` (Bokeh), `print_figures` (Matplotlib),
`sparkline`, `outlines`, `basemap`.
Never: a global option of HoloViews or Bokeh, more points than the screen has pixels, a line across a gap.
"""
