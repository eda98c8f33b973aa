"""What tables are about, beyond their columns: labels, versions of a signal, lifetimes, limits, names of files.

In: profiles and rows of a sample. Out: proposals for `tables` and `mapping`, each with its evidence.
Read in order: `words`, `labels`, `versions`, `lifetimes`, `limits`, `file_names`.
Never: a proposal that only a name supports, without a question.
"""
