"""HTTP services that answer with JSON: polled page by page, from some time before the newest row on.

In: an address, tables with their paths and keys. Out: rows that are new or have changed.
Read in order: `options`, `pages` (rows of an answer, and the next request), `fetch` (pace, retries, conditional requests),
`window` (what is known already), `source`, `kind`.
Never: a request beyond the stated pace or within a pause that the service asks for, a token in the file or sent to another host.
"""
