"""The page ``notebooks/reference/glossary.md``: ``python -m twinlab.model.glossary.markdown`` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from twinlab.model.glossary.terms import all_terms

__all__ = ["glossary_page"]

_HEAD = """# Glossary

One term per concept, and the standard term of the field where there is one. `tl.glossary("scan rate")` finds a term by any word on this page.
This page is made from `twinlab/model/glossary/terms.yaml` by `python -m twinlab.model.glossary.markdown`.
"""


def glossary_page() -> str:
    """Return the page in Markdown.

    >>> glossary_page().splitlines()[0]
    '# Glossary'
    """
    terms = all_terms()
    both = _table(
        ("term", "in the plant (OT)", "in IT", "in German"),
        ((one.term, one.ot, one.it, one.de) for one in terms if one.ot or one.it),
    )
    every = _table(
        ("term", "meaning", "from", "not"), ((one.term, one.meaning, one.origin, one.unused) for one in terms)
    )
    return "\n".join([_HEAD, "## One thing, two words", "", *both, "", "## Terms", "", *every, ""])


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    heads = list(head)
    lines = [heads, *rows]
    shown = [f"| {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |") for cells in lines]
    return [shown[0], "|---" * len(heads) + "|", *shown[1:]]


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "notebooks/reference/glossary.md")
    target.write_text(glossary_page(), encoding="utf-8", newline="\n")
