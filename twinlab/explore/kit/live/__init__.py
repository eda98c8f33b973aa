"""What pages show of live sources.

In: a twin with live sources, and the status of its historian. Out: states, ages and verdicts as texts.
Read in order: `live_twins` (what pages need of a twin), `ages` (one asset in words), `states` (what a status means), `settled` (up to when data are
settled).
Never: a colour without a word or a shape.
"""
