"""Recognise the dates of an asset's lifetime: installation and removal."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from twinlab.harmonise.claims import NAT, Ints
from twinlab.harmonise.drafting.kinds.words import spaced
from twinlab.harmonise.drafting.questions import QuestionPlan

__all__ = ["lifetime_of", "lifetime_question"]

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


def lifetime_question(kind: str, end: str, term: str, column: str, wall: Ints) -> QuestionPlan:
    """Return the question whether a property is an end of the assets' lifetime; only its column's name says so.

    ``wall`` are the column's times, int64 ns.
    """
    known = np.sort(wall[wall != NAT])
    days = known.view("M8[ns]").astype("M8[D]")
    evidence = f"the column is called {column!r}; {len(known)} of {len(wall)} assets have a date"
    evidence += f", {days[0]} to {days[-1]}" if len(days) else ""
    which, when = ("began", "before") if end == "from" else ("ended", "after")
    ask = f"Does {column!r} say when a {kind} {which}, so that {when} it no value is missing?"
    return QuestionPlan(f"asset_types.{kind}.lifetime.{end}", ask, evidence, (term,), drafted=term)
