"""How clients reach the server: standard input and output of a process, or HTTP.

In: a twin. Out: a server that runs until its client leaves, or until it is stopped.
Read in order: `stdio`, `request_guard` (hosts, origins, rates), `tokens` (who a token belongs to), `http`.
Never: an address that others can reach without TLS and a login.
"""
