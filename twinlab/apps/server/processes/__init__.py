"""Several processes that serve one twin behind one port.

In: a twin's folder and checked options. Out: a front process that accepts connections, and workers that answer them.
Read in order: `assignment` (which worker a session belongs to), `worker` (a process that serves pages), `pool` (starts
workers, again if they end), `front` (passes each connection to a worker), `serving`.
Never: a request that a worker hasn't checked, a session in another worker than its page, state in one worker only that
readers of another need.
"""
