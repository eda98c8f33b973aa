"""Stored finders: the spans in which a condition is true, updated where cells have changed; events with ids that stay.

In: a finder, its state, a reader, changed windows. Out: the new state, and what became of each event.
Read in order: `splicing` (spans replaced within windows), `state` (spans and ids; as a file), `blocks` (cells of changed windows), `matching`
(which event is which), `changes` (what became of each), `updating`.
Never: a search of what hasn't changed; an event that gets another id because its beginning moved.
"""
