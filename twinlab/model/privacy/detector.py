"""Columns that look personal: by their name, or by the values of a sample.

What is recognised: names of people, e-mail addresses, telephone numbers, number plates, IBANs, numbers of drivers and staff, dates of birth, addresses and
positions of homes. A column is suspected if its name has one of the words below, or if at least half of the sampled values have
the form of an e-mail address, a telephone number with a country code, or an IBAN. It is a help against oversight, not a proof: a name in
a column called ``remark`` isn't found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["SAMPLE", "Suspect", "suspects"]

#: Values of a column that are looked at.
SAMPLE = 200
#: Share of them that has to have the form.
_SHARE = 0.5
#: Fewer values than this say nothing.
_LEAST = 3

_PERSON = r"(?:driver|chauffeur|courier|employee|worker|staff|person|people|customer|passenger|recipient|consignee|patient|operator|crew|fahrer|mitarbeiter|kunde|empf(?:ae|ä)nger)"
_BY_NAME: tuple[tuple[str, str], ...] = (
    (rf"(?:^|_){_PERSON}(?:_?(?:name|id|no|nr|nummer|number|key|code|email|card))?(?:_|$)", "a person"),
    (r"(?:^|_)(?:first|last|full|family|given|sur|vor|nach|middle)_?names?(?:_|$)", "names of people"),
    (r"(?:^|_)e_?mails?(?:_?address(?:es)?)?(?:_|$)", "e-mail addresses"),
    (r"(?:^|_)(?:tele)?(?:phone|fon)(?:_?(?:number|no|nr))?(?:_|$)|(?:^|_)(?:mobile|cell|handy)_?(?:phone|number|no|nr)(?:_|$)", "telephone numbers"),
    (r"(?:^|_)(?:licen[cs]e_?|number_?)plates?(?:_|$)|(?:^|_)plates?(?:_?(?:no|nr|number))?$|(?:^|_)kennzeichen(?:_|$)|(?:^|_)vin$", "number plates"),
    (r"(?:^|_)(?:date_?of_?birth|birth_?(?:date|day)|dob|geburtsdatum)(?:_|$)", "dates of birth"),
    (r"(?:^|_)(?:ssn|social_?security(?:_?(?:no|number))?|passport(?:_?(?:no|number))?|iban|tax_?id)(?:_|$)", "official or bank numbers"),
    (r"(?:^|_)(?:home|private|wohn)_?(?:address|street|zip|lat(?:itude)?|lon(?:gitude)?|position|ort|adresse)(?:_|$)", "homes"),
    (r"(?:^|_)(?:street|stra(?:ss|ß)e|postal_?address)(?:_|$)", "addresses"),
)  # fmt: skip
_BY_VALUE: tuple[tuple[str, str], ...] = (
    (r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}", "e-mail addresses"),
    (r"\+\d{1,3}[ \-/()0-9]{6,18}", "telephone numbers"),
    (r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?", "IBANs"),
)
_NAMES = [(re.compile(pattern), what) for pattern, what in _BY_NAME]
_VALUES = [(re.compile(pattern), what) for pattern, what in _BY_VALUE]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A column that looks personal."""

    column: str
    what: str
    """What it seems to have: "e-mail addresses"."""
    evidence: str
    """Why: its name, or how many of the sampled values."""


def suspects(columns: Mapping[str, Sequence[object]], *, declared: Iterable[str] = ()) -> list[Suspect]:
    """Return the columns that look personal and aren't declared.

    Parameters
    ----------
    columns : mapping
        Column -> some of its values, of which the first `SAMPLE` are looked at.
    declared : iterable of str
        Columns whose sensitivity is stated; they aren't looked at.

    >>> found = suspects({"Driver": ["Ann Archer"], "contact": ["a@b.org"] * 3, "load": [3.5]})
    >>> [(one.column, one.what) for one in found]
    [('Driver', 'a person'), ('contact', 'e-mail addresses')]
    """
    skipped = set(declared)
    found = [_suspect(name, values) for name, values in columns.items() if name not in skipped]
    return [one for one in found if one is not None]


def _suspect(name: str, values: Sequence[object]) -> Suspect | None:
    # "DriverName", "driver name [text]" and "driver-name" are driver_name.
    plain = re.sub(r"(?<=[a-zäöü])(?=[A-ZÄÖÜ])", "_", re.sub(r"\[.*?\]|\(.*?\)", "", name))
    plain = re.sub(r"[^0-9a-zäöüß]+", "_", plain.casefold()).strip("_")
    for pattern, what in _NAMES:
        if pattern.search(plain):
            return Suspect(name, what, "by its name")
    texts = [one.strip() for one in values[:SAMPLE] if isinstance(one, str) and one.strip()]
    if len(texts) < _LEAST:
        return None
    for pattern, what in _VALUES:
        hits = sum(pattern.fullmatch(text) is not None for text in texts)
        if hits >= _SHARE * len(texts):
            return Suspect(name, what, f"{hits} of {len(texts)} values have that form")
    return None
