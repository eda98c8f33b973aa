"""Commands about what isn't so: scenarios drafted from words, synthetic twins.

In: arguments. Out: text, files.
Read in order: `scenario`, `generate`.
Never: a computation of its own; a run that nobody asked for.
"""
