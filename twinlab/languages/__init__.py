"""Texts, numbers and dates in the reader's language; a language is one file of gettext, such as ``de.po``.

In: English messages, as the source code has them. Out: the same in the language of the reader for whom code runs now.
Read in this order: `current` (whose language), `catalogue` (messages of a language), `texts` (`tr`, `trn`), `templates`
(texts of HTML), `extraction` (which messages the code has). Never: data translated, or a language set for the whole
process while pages are served. Babel is loaded with the first language other than English.
"""

from __future__ import annotations

from twinlab.languages.catalogue import available
from twinlab.languages.current import current_language, use_from_here, use_resolver, using
from twinlab.languages.preference import preferred_language
from twinlab.languages.texts import date_pattern, date_text, local_number, mark, tr, tr_keys, tr_list, tr_values, trn

__all__ = [
    "available",
    "current_language",
    "date_pattern",
    "date_text",
    "local_number",
    "mark",
    "preferred_language",
    "tr",
    "tr_keys",
    "tr_list",
    "tr_values",
    "trn",
    "use_from_here",
    "use_resolver",
    "using",
]
