"""Recognise a raw column and its corrected one: two versions of one signal."""

from __future__ import annotations

import re
from collections.abc import Mapping

from twinlab.harmonise.drafting.kinds.words import spaced
from twinlab.harmonise.drafting.profiles import Profile

__all__ = ["bare_name", "versions"]

_CORRECTED = (
    r"corrected|corr|cor|adjusted|adj|calibrated|validated|cleaned|compensated|korrigiert|bereinigt|corrig[eé]e?|corregid[oa]"
    r"|corrett[oa]|gecorrigeerd"
)
_RAW = r"raw|uncorrected|unadjusted|uncalibrated|original|orig|measured|roh|unkorrigiert|brut|bruto|grezzo|ruw"
_MARKED = {
    kind: re.compile(rf"(?i)(?:(?:{words})_(?P<after>.+)|(?P<before>.+)_(?:{words}))")
    for kind, words in (("corrected", _CORRECTED), ("raw", _RAW))
}


def bare_name(name: str, kind: str) -> str | None:
    """Return the name without the word that says "raw" or "corrected"; None if it has none.

    >>> bare_name("temp_cor", "corrected"), bare_name("Corrected value", "corrected"), bare_name("corridor", "corrected")
    ('temp', 'value', None)
    """
    match = _MARKED[kind].fullmatch(spaced(name))
    return None if match is None else match["after"] or match["before"]


def versions(profiles: Mapping[str, Profile]) -> dict[str, str]:
    """Return corrected column -> raw column, for columns of numbers whose ranges overlap.

    >>> pair = {name: Profile(name, "number", 9, 9, low=1, high=5) for name in ("stage_raw", "stage_corrected", "other")}
    >>> versions(pair)
    {'stage_corrected': 'stage_raw'}
    """
    numbers = {name: one for name, one in profiles.items() if one.kind == "number"}
    raw = {spaced(bare_name(name, "raw") or name).casefold(): name for name in numbers}
    found = {}
    for name, one in numbers.items():
        bare = bare_name(name, "corrected")
        other = raw.get(bare.casefold()) if bare else None
        if other is not None and other != name and other not in found and _overlap(one, numbers[other]):
            found[name] = other
    return found


def _overlap(one: Profile, other: Profile) -> bool:
    return one.low <= other.high and other.low <= one.high and one.unit.unit == other.unit.unit
