"""Commands about a twin that grows.

In: arguments. Out: text.
Read in order: `plan`.
Never: a computation of its own.
"""
