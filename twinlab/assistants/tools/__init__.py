"""What can be asked, a tool each: arguments with a schema, the pages that a role has to open, and the call of twinlab that answers.

In: checked arguments and a caller. Out: a result.
Read in order: `tool` (what a tool is), `call`, `arguments`, `reading`, `asking`, `explaining`, `expecting`, `proposing`, `listing` (all of them).
Never: a call that writes, except `propose_command`, which is offered only when the server's owner allows it.
"""
