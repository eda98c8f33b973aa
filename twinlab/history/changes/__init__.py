"""Which cells of a history have changed since an earlier state: what is derived from it is updated there only.

In: a reader and the description of an earlier state. Out: asset types, assets and spans of time.
Read in order: `changed_windows`.
Never: a changed cell left out.
"""
