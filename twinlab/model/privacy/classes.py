"""The classes of sensitivity, from what everybody may see to what the law protects most, and what a pseudonym is like."""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["PERSONAL", "RANKS", "Sensitivity", "is_pseudonym"]

_PSEUDONYM = re.compile(r"p-[a-z2-7]{16}")

Sensitivity = Literal["open", "internal", "personal", "sensitive"]
#: Class -> how sensitive it is. ``open`` may be published, ``internal`` is for whoever reads the twin, ``personal`` relates to a person
#: (GDPR, article 4(1)), ``sensitive`` is of a special category, such as health (article 9).
RANKS: dict[Sensitivity, int] = {"open": 0, "internal": 1, "personal": 2, "sensitive": 3}
#: Classes that are read for a stated purpose only.
PERSONAL: frozenset[Sensitivity] = frozenset({"personal", "sensitive"})


def is_pseudonym(text: str) -> bool:
    """Return whether a text is like a pseudonym of `twinlab.signing.subjects.Pseudonyms`, wherever it was made.

    >>> is_pseudonym("p-abcdefgh234567ij"), is_pseudonym("Ann Archer")
    (True, False)
    """
    return _PSEUDONYM.fullmatch(text) is not None
