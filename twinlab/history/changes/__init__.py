"""Which cells of a history have changed since an earlier state: what is derived from it is updated there only.

In: a reader and the description of an earlier state. Out: asset types, assets and spans of time; the cells of many such spans.
Read in order: `changed_windows`, `window_cells`.
Never: a changed cell left out.
"""
