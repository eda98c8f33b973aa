"""OPC UA: nodes of a server by subscription; what a queue drops or an outage hides is read from the server's history.

In: an endpoint, certificates, node ids. Out: an observation a change, with the source's timestamp and the status code.
Read in order: `options`, `values` (data values as observations), `declared` (units), `client_logs`, `session` (connection, subscription, history), `source`, `kind`.
Never: a write, a password in plain text or in the file, a server whose certificate isn't the stated one, a lost value without a gap.
"""
