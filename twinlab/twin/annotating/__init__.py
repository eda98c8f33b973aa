"""Annotations of a twin, in its journal: on spans of signals, events and exceptions; beside the history as codes of cells.

In: what people say, and the changes of revisions. Out: tables, and ``<signal>_annotation`` of a history.
Read in order: `store` (the journal), `cells` (codes of cells), `methods` (of `Twin`).
Never: a value or a flag changed; an annotation lost by a rebuild or a revision.
"""
