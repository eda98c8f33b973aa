"""The mapping form: edit a drafted mapping in JupyterLab and see the first rows harmonised.

In: a twin's folder and the name of a source. Out: the same YAML file, changed only where the person changed it.
Read in order: `keys` (of the schemas), `draft`, `answers` (of open questions),
`suggestions` and `preview` (no widgets), `files`, `form`, then its parts `question_pane` with `browser_zone`, `column_grid`,
`time_and_asset`, `key_pane` with `key_list`, `model_pane`, `html`.
Never: a comment lost, a file half written, an invalid mapping saved.
"""
