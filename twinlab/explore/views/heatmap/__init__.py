"""The heat map explorer: one signal of all assets over time, as values or as flags.

In: a twin to read, a signal, a window. Out: one image of a few hundred bins and rows.
Read in order: `explorer`, `controls`, `reading`, `rows` and `style` (pure), `figure` and `live_figure` (Bokeh),
`plot` (HoloViews), `text`.
Never: missing data shown as a value, a failed cell hidden in a mean.
"""
