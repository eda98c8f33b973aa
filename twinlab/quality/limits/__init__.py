"""Limits learnt from data, as a proposal with evidence for a person to approve.

In: a labelled array of one signal over a stated period. Out: `LearntLimits`: spans by season and hour, how many values they
come from, the share outside, and the text for ``twin.yaml``.
Read in order: `learnt` (the result and its text), `learn`.
Never: a limit applied, a limit from fewer values than stated.
"""
