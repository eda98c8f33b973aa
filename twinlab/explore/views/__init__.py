"""Views: explorers that work alone in a notebook and as parts of pages, independent of each other.

In: a twin to read and parameters. Out: a Panel object with its state as a link, data, code and exports.
Read in order: `base`, `signals`, `heatmap`, `map`, `events`, `card`.
Never: an import from another view or a page; what two views share belongs in `kit` or `charts`.
"""
