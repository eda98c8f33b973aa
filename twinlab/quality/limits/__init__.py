"""Limits learnt from data, as a proposal with evidence for a person to approve.

In: labelled arrays over a stated period. Out: `LearntLimits` (spans by season and hour) or `LearntRelation` (how a signal follows
from others), with how many values they come from, the share outside, and the options for ``twin.yaml``.
Read in order: `learnt` (the result and its text), `learn`, `relation`.
Never: a limit applied, a limit from fewer values than stated.
"""
