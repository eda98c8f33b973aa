"""The asset card: one asset at a glance.

In: a twin to read, an asset, an instant. Out: HTML with last values, small curves, exceptions and events.
Read in order: `card`, `reading`, `html`.
Never: HTML from a value that isn't escaped.
"""
