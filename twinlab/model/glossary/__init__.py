"""The terms of the kit, with the words of operational technology (OT), of information technology (IT), and in German.

In: ``terms.yaml``, the only source. Out: terms, found by any of their words; the page ``notebooks/reference/glossary.md``. Read in order:
`terms`, `lookup` (`twinlab.glossary`), `markdown`. Never: a second list of terms.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Glossary": "lookup",
        "Term": "terms",
        "all_terms": "terms",
        "glossary": "lookup",
        "glossary_page": "markdown",
    },
)
