"""Kinds of changes: a module each.

In: the keys of a change, and a network. Out: the changed network, the change in words, what of it doesn't fit.
Never: a change of anything that its words don't mention.
"""
