"""Commands about what isn't so: scenarios drafted from words.

In: arguments. Out: text, files.
Read in order: `scenario`.
Never: a computation of its own; a run that nobody asked for.
"""
