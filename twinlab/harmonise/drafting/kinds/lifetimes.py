"""Recognise the dates of an asset's lifetime: installation and removal."""

from __future__ import annotations

import re
from collections.abc import Iterable

from twinlab.harmonise.drafting.kinds.words import spaced

__all__ = ["lifetime_of"]

_REMOVED = re.compile(
    r"remov|retir|decommission|out_of_service|scrap|dismantl|uninstall|deinstall|deactivat|replaced|end_of_life|ausgebaut|ausbau|abbau|demont"
    r"|dépos|d[ée]mont|retirad|dismess",
    re.IGNORECASE,
)
_INSTALLED = re.compile(
    r"install|commission|in_service|deploy|mounted|activated|eingebaut|einbau|inbetriebnahme|montage|montiert|mise_en_service|instal",
    re.IGNORECASE,
)


def lifetime_of(names: Iterable[str]) -> dict[str, str] | None:
    """Return "from" and "until" -> column for the columns of times of a list of assets; None if others are among them.

    >>> lifetime_of(["Installed on", "removed"]), lifetime_of(["commissioningDate"]), lifetime_of(["start", "removed"])
    ({'from': 'Installed on', 'until': 'removed'}, {'from': 'commissioningDate'}, None)
    """
    found: dict[str, str] = {}
    for name in names:
        words = spaced(name)
        key = "until" if _REMOVED.search(words) else "from" if _INSTALLED.search(words) else ""
        if not key or key in found:
            return None
        found[key] = name
    return found or None
