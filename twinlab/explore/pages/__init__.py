"""Pages: compositions of views for one job. Pages don't know each other.

In: a session (twin, caches, reader's settings). Out: one view a page, listed in `twinlab.explore.page_registry`.
Read in order: `spec` (what a page states about itself), `map`, `history`, `events`, `quality`, `now`.
Never: an import from another page; what two pages share belongs in `kit` or `views`.
"""
