"""The History page: signals over time, with the events beside them and the whole fleet as a heat map.

In: a window, assets and signals. Out: the signal explorer, the event explorer and the heat map, moving together.
Read in order: `page`, `fleet`.
Never: reading or drawing of its own; the views do both.
"""
