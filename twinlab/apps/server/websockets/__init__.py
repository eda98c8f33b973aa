"""The websocket of a page: which messages a browser may send, how many, how large, and for how long.

In: fragments of messages as they come. Out: whole messages that Bokeh handles, or a refusal that is recorded.
Read in order: `assembly`, `messages` (what a message may do), `handler`.
Never: a message that replaces the page, that changes what only the server decides, or of a login that has ended.
"""
