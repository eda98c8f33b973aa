"""The signal explorer: assets and signals from years to single samples, compared with other periods.

In: a twin to read and parameters. Out: charts, tables and code of one view.
Read in order: `explorer`, `parameters`, `navigation`, `controls`, `periods` and `compare` (pure), `request`, `view`
(reading), `live_charts` (Bokeh), `figure` (HoloViews), `tables`, `code`.
Never: a sample that its flag rejects drawn without a mark.
"""
