"""Run models many times: in chunks of replications, on threads or a Dask cluster, kept in memory or in a folder.

In: models, a start or a state, numbers of replications. Out: `Results`.
Read in order: `chunks` (what one task computes), `descriptions`, `digests`, `event_files`, `stores` (in memory), `folder_store`
(on a disk), `identity` (what a stored run is a run of), `schedule` (which chunks are computed when), `progress`, `results`, `run`,
`runner` (replications on demand).
Never: a replication that is computed twice, a result that depends on chunks, threads or processes, a store that is half written.
"""
