"""Predictions of a twin: stored beside it, listed, compared, scored.

In: predictions. Out: tables of scores against what the twin knows now.
Read in order: `stored`, `methods`.
Never: a write to the twin's history.
"""
