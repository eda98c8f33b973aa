"""Rules: find exceptions where a condition is fulfilled, an event is late, or an asset is silent.

In: the rules of ``twin.yaml``, a twin to read, a span or an instant. Out: one table of exceptions.
Read in order: `exceptions`, `registry` (kinds of rules), `exception_table`, `conditions`, `look_back`, `runs`, `lateness`,
`silence`, `flagged`, `scoring`.
Never: an exception that changes its id because data arrived late elsewhere.
"""
