"""The state of assets at an instant: last values, positions, links, what happened to them, and search.

In: a twin to read and an instant. Out: DataFrames and small records.
Read in order: `latest_values`, `links`, `places`, `whereabouts`, `stories`, `search`, `cached_reader`.
Never: a value newer than the instant asked for.
"""
