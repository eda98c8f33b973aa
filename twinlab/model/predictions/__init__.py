"""Predictions that are made again and again, as ``twin.yaml`` states them.

In: the key ``predictions:``. Out: `PredictionRule`.
Read: `rule`.
Never: a key that changes a cell of the history by itself, so it is no part of a model's hash.
"""
