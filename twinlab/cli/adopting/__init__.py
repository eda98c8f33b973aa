"""Commands that bring a twin into use.

In: arguments. Out: text, files.
Read in order: `pilot`, `learn`.
Never: a computation of its own.
"""
