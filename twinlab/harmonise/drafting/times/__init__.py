"""Recognise times in tables: formats, clocks, zones and the roles of an event's times.

In: profiles and rows of a sample. Out: time rules with their evidence and questions.
Read in order: `zones`, `changes` (of clocks) and `formats`, `columns` (one column), `find` (a whole table), `roles` (an event's times).
Never: a zone or an order of day and month stated without evidence.
"""
