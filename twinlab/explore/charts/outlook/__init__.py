"""Charts of predictions: forecasts as fans, probabilities against frequencies, coverage by lead time, risks on a map.

In: Datasets in the schema of predictions, tables of scores and risks. Out: HoloViews objects; the map is a figure of Bokeh.
Read in order: `fan`, `reliability`, `risk_map`.
Never: a forecast as a line without its band; a colour without a shape or a word.
"""
