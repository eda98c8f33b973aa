"""Commands of assistants: questions in words, and a server for assistants of others.

In: arguments. Out: text; or a server until it is stopped.
Read in order: `ask`, `mcp`.
Never: a computation of its own.
"""
