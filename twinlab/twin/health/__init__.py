"""Health: whether a twin and the processes that run and serve it are well, for people, service managers and Prometheus.

In: a twin's folder, the status of a process. Out: checks with a state, families of metrics as text, an HTTP server for both.
Read in order: `checks`, `exposition`, `families`, `endpoint`.
Never: a name of a person, a request that changes something, figures for another machine without a token.
"""
