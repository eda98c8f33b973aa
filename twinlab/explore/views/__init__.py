"""Views: explorers that work alone in a notebook and as parts of pages. Views don't know each other.

In: a twin to read and parameters. Out: a Panel object with its state, its data and its code.
Read in order: `base`, `signals`, `heatmap`, `map`, `events`, `card`.
Never: an import from another view or a page; what two views share belongs in `kit` or `charts`.
"""
