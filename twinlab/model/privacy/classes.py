"""The classes of sensitivity, from what everybody may see to what the law protects most."""

from __future__ import annotations

from typing import Literal

__all__ = ["PERSONAL", "RANKS", "Sensitivity"]

Sensitivity = Literal["open", "internal", "personal", "sensitive"]
#: Class -> how sensitive it is. ``open`` may be published, ``internal`` is for whoever reads the twin, ``personal`` relates to a person
#: (GDPR, article 4(1)), ``sensitive`` is of a special category, such as health (article 9).
RANKS: dict[Sensitivity, int] = {"open": 0, "internal": 1, "personal": 2, "sensitive": 3}
#: Classes that are read for a stated purpose only.
PERSONAL: frozenset[Sensitivity] = frozenset({"personal", "sensitive"})
