"""Rows of tables as claims: signals, events, assets, relationships and their properties.

In: `Rows` of one frame, a table's rule in the mapping. Out: claims in the units of the model.
Read in order: `row_assets` (the asset of each row), `properties`, then `signals`, `events`, `assets`.
Never: a row left out without a finding.
"""
