"""Anomalies of a twin: learnt, searched, watched as rows come; events that people accept or reject.

In: the twin's history. Out: tables of events; limits that follow from verdicts.
Read in order: `learning` (what is usual; spans that are searched), `journal` (what is watched, verdicts, limits), `rounds` (new rows of a
watched type, from a stored state to the next), `anomaly_events` (the table, accept and reject), `methods`.
Never: a write to the twin's history; an event that was accepted and is found no more because others were rejected.
"""
