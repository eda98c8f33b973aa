"""Remote: a history whose repository is in an object store, read through a local folder with its references and seals.

In: a folder's file ``objects.json``, a bundle of metadata. Out: readers of the repository's objects; variables that are read ahead.
Read in order: `bundle` (small objects in one), `repository`, `read_ahead` (variables of a Dataset, several at a time).
Never: a request before something of the history is read, a secret in a file.
"""
