"""Revisions of a twin: other mappings or another model, tried beside the published history; compared, promoted, rolled back.

In: a source and a mapping file, or a model file. Out: a `Revision`, its `RevisionDiff`, and entries in the twin's journal.
Read in order: `revision_log` (what the journal says), `changed_definitions` (what is refused before anything is built),
`revision`, `diff`, `kpi_changes`, `promotion`, `edits` (files that were edited and aren't applied), `methods` (of `Twin`).
Never: a published history between two states, a promotion without who, when and why.
"""
