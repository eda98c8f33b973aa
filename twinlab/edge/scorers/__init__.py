"""Modules beside an exported model on a gateway: they need numpy only, and give the model's bits.

In: the arrays of an exported model, and rows. Out: predictions.
Read: `trees`.
Never: an import of twinlab; a result that differs from the model's in its last bit.
"""
