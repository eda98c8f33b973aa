"""STORE: immutable objects in a bucket of a store, and in a folder, behind one small interface.

In: addresses such as ``s3://bucket/prefix`` (``gs://`` and ``az://``, too). Out: bytes of objects and of parts of them.
Read in order: `address`, `credentials` (of S3), `clients` (of each kind of store), `bucket` (requests, and what their errors mean),
`disk_cache` (shared by processes, bounded), `waiting` (calls side by side), `parts` (parts of objects by name, from a folder or from a
bucket through the cache), `lease` (one holder at a time, on any machine).
Never: what an object means; a secret in a file or in a message.
"""
