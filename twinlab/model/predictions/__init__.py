"""Predictions that are made again and again, and what maintenance costs, as ``twin.yaml`` states them.

In: the keys ``predictions:`` and ``maintenance:``. Out: `PredictionRule`, `MaintenanceCosts`.
Read: `rule`, `costs`.
Never: a key that changes a cell of the history by itself, so it is no part of a model's hash.
"""
