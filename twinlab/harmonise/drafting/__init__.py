"""Draft a model and mappings from files without a description, for a person to edit.

In: the first rows of files. Out: a `Draft`: YAML of a model and mappings, with the evidence for each choice.
Read in order: `profiles` (columns), `units`, `times`, `kinds`, `plans`, `tables`, `signals`, `records`, `mapping`, `model`, `draft`.
Never: an unmarked guess, an assumed time zone.
"""
