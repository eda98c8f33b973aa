"""Storage: what a gigabyte costs, what is in a database, and what a twin keeps of its older data, as ``twin.yaml`` states them.

In: the keys ``storage:`` and ``retention:``. Out: `StorageRule`, `RetentionRule`, `Price`, `UnitPrices`.
Read in order: `catalogues`, `unit_prices`, `price`, `retention`.
Never: a key that changes a cell of the history by itself, so neither is part of a model's hash.
"""
