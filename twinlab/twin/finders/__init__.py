"""The events of the finders in ``twin.yaml``: stored in the twin's folder, current in every read.

In: the finders, the history. Out: event tables; what became of each event.
Read in order: `store`, `views` (as of some time, revisions), `methods`.
Never: an event table that lacks rows which the history has.
"""
