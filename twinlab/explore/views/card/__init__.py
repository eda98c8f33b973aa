"""The asset card: a summary of one asset.

In: a twin to read, an asset, an instant. Out: HTML with last values, small curves, exceptions and events.
Read in order: `card`, `reading`, `html`.
Never: HTML without a template that escapes.
"""
