"""False values of sensors that are who they say they are: the key is right, what is measured isn't.

In: a signal of all assets of a type with the other signals of the same assets, over a usual span and the searched one. Out: spans in
which values repeat earlier ones, stay where they are, or contradict physics (how they change with what else happens in the asset) or peers.
Read in order: `repeats` (values that were there before), `models` (what is expected of changes and levels), `deviations` (statistics and
their limits), `cells` (arrays of a twin), `rule`.
Never: a value changed or flagged; a limit that was learnt from the searched span.
"""
