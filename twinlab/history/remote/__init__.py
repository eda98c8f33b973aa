"""Remote: a history whose repository is in an object store, read through a local folder with its references and seals.

In: a folder's file ``objects.json``. Out: readers of the repository's objects.
Read: `repository`.
Never: a request before something of the history is read, a secret in a file.
"""
