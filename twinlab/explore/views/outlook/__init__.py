"""OutlookExplorer: what will fail and what to do about it, forecasts, how good predictions were, and the state of the models.

In: a twin that predicts. Out: a risk list with reasons and a map, fan charts, reliability and coverage, a table of models.
Read in order: `possible`, `requests` (pure), `part` and the four parts `risk`, `forecast`, `checks`, `models` (with `decisions`), then `explorer`.
Never: a prediction that the reader didn't ask for; a number without its issue time; a colour without a word.
"""
