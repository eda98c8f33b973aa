"""Work on many parts of a twin: on threads of this process, or on the workers of a Dask cluster.

In: functions with small arguments. Out: their results, in order or as they come, a bounded number at once.
Read in order: `handles` (a twin that each worker opens itself), `pool` (threads), `choosing` (the pool of a call), `cluster` (a client of a
Dask cluster), `checks` (whether its workers can do the work), `nested` (arrays computed inside a
task), `version`.
Never: a result that is kept after it was used; data in an argument that a worker can read itself; a task that writes to the twin.
"""

from twinlab.compute.choosing import pool_of
from twinlab.compute.handles import Handle
from twinlab.compute.pool import Pool

__all__ = ["Handle", "Pool", "pool_of"]
