"""Predictions of a twin: stored beside it, listed, compared, scored; delays of its planned events.

In: predictions. Out: tables of scores against what the twin knows now; when planned events will end.
Read in order: `stored`, `delays`, `methods`.
Never: a write to the twin's history.
"""
