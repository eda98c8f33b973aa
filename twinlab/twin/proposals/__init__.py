"""Proposed changes of a twin's model, each a file with its evidence, until a person approves or discards it.

In: what was learnt from the data. Out: ``proposals/*.yaml`` in the twin's folder, and `Proposal`.
Read in order: `proposal` (one file, and what approving writes), `methods` (of `Twin`).
Never: ``twin.yaml`` changed without `Proposal.approve`.
"""
