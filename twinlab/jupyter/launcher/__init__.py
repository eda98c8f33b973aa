"""The card *Digital twins* in the launcher of JupyterLab, and the server behind it, which jupyter-server-proxy starts.

In: the folder of a Jupyter server. Out: a start page that lists its twins; the pages of each; a starter notebook.
Read in order: `entry` (what Jupyter reads), `process` (the server), `router` (which requests are answered), `twin_folders`, `start_page`,
`handlers`, `twin_pages` (a twin's pages under a path).
Never: a request answered that didn't come through Jupyter: it has to have the secret that Jupyter adds to each.
"""
