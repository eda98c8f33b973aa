"""Privacy of a twin: opened for a purpose, personal columns refused or encrypted, people forgotten, data released.

In: a twin's folder, a folder of keys outside of it, a purpose. Out: readers, released files, proofs of erasure, audit rows.
Read in order: `keys`, `recording`, `protocol`, `reads`, `opening`, `undeclared`, `encrypting`, `data_of_person`, `byte_search`, `erasure`, `releasing`, `methods`.
Never: personal data returned before the read is recorded.
"""
