"""The mapping form: edit a drafted mapping in JupyterLab and see the first rows harmonised.

In: a twin's folder and the name of a source. Out: the same YAML file, changed only where the person changed it.
Read in order: `draft` (pure), `preview` (pure), `files`, `form`, then its parts `grid`, `clock`, `model_pane`,
`html`.
Never: a comment lost, a file half written, an invalid mapping saved without a warning.
"""
