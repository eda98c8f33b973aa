"""Groups: the rows of a source as numbered, immutable objects of a store, each written by one request that fails if it is there.

In: groups of frames of a writer that has the source's lease. Out: the same bytes in the folder of any machine.
Read in order: `group` (bytes of an object), `chain` (write the next one, follow the others), `working_copy` (a source's folder), `leased`
(what a `Writer` needs: lease, fence, groups).
Never: an acknowledgement before the group is in the store; a group after a fence of a later holder.
"""
