"""The asset card: a summary of one asset.

In: a twin to read, an asset, an instant. Out: HTML with last values, small curves, exceptions and events.
Read in order: `card`, `reading`, `html`, `late_list` (of all assets: what will probably be late).
Never: HTML without a template that escapes.
"""
