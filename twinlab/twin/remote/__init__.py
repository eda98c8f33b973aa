"""Remote: a twin in an object store: pushed from a folder, pulled into one, opened, and written by leased writers and a historian.

In: a twin's folder, or an address such as ``s3://bucket/prefix``. Out: objects; a folder; a twin that is read there, and takes rows.
Read in order: `head` (what the store says of its newest push), `payload` and `changing_files` (bytes of objects to be),
`derived` (stored predictions, models, scenarios), `contents` (what is pushed), `push`, `pull`, `stored_folders`, `opening`, `published`
(what writers need of it), `working` (a working copy), `historian`, `store_status`.
Never: a state of which something is missing, an object that is replaced (but for the head and Icechunk's reference), a secret.
"""
