"""Retention: what a twin's storage will cost, what it could keep instead, and applying what a person chose.

In: the twin's own history, prices and a budget. Out: `StorageForecast`.
Read in order: `forecast`, `methods` (of `Twin`).
Never: anything removed that wasn't shown and agreed to.
"""
