"""How a twin grows: bytes, requests, seconds, workers and money for more assets, and which part breaks first.

In: the model, the twin's own history, prices of ``twin.yaml``, a timed pilot on this machine. Out: `ScalePlan`; simulated runs.
Read in order: `workload` (assets, signals, cadences), `pilot_data`, `pilot` (small twins, timed), `costs` (seconds as a function of size),
`machine`, `forecast` (figures of a size), `money`, `limits` (what breaks first), `plan`, `simulation` (workers, requests and the writer as
queues), `methods` (of `Twin`).
Never: a figure without its source; anything read or changed of the twin but its model, its catalog and the sizes of its files.
"""
