"""How the workers of a cluster open a twin: at the state that it has where the work is divided.

In: a twin, one as of some time, or a revision. Out: an `Opening`, which other processes call; parts of exports.
Read in order: `opening`, `export_parts`, `methods`.
Never: a worker that sees newer rows than another one, or records a read that was recorded where the work was divided.
"""
