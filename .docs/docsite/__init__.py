"""Parts of the site's build: pages are staged, written from docstrings, photographed and checked.

In: the repository. Out: HTML pages that need no network.
Read in order: `staging` (notebooks and pages of `notebooks/reference`), `outputs` (of notebooks; `pytest_outputs` stores them), `reference` (docstrings), `tables` (commands,
units), `gallery` (pictures of a twin's pages), `links` (no broken link), `visit` (the site in a browser).
Never: a change of a file of the repository, a request to another machine.
"""
