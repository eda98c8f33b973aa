"""Use of the served pages, counted by page, task and day; who, when and from where isn't known.

In: "this page was opened", "this task was done", "this answer took so long". Out: counts by week or day, small ones as "< 5".
Read in order: `store` (a file a month), `counter` (in a process), `table`, `methods`.
Never: a name, an address, a time of day, a session, text that somebody typed; a page that waits for a count or fails because of one.
"""
