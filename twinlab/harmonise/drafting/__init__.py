"""Draft a model and mappings from files that nobody has described yet, for a person to edit.

In: the first rows of files. Out: a `Draft`: YAML of a model and mappings, each guess with its evidence.
Read in order: `twin`, `tables`, `profiles`, `times`, `units`, `mapping`, `model`.
Never: a guess that isn't marked as one, a zone made up.
"""
