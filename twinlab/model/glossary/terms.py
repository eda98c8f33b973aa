"""`Term`: one entry of the glossary, read from ``terms.yaml``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import yaml

__all__ = ["Term", "all_terms"]

_BRACKETS = re.compile(r"\(([^()]*)\)")
_BETWEEN = re.compile(r"[,;]\s*")


@dataclass(frozen=True)
class Term:
    """One concept, or several that belong together."""

    term: str
    """The word of the kit; several are separated by commas."""
    meaning: str
    """What it is, in a phrase."""
    origin: str = ""
    """The standard or field that the word comes from."""
    unused: str = ""
    """Words that the kit doesn't use for it."""
    ot: str = ""
    """Words of operational technology: plants, PLCs, historians."""
    it: str = ""
    """Words of information technology: databases, brokers, services."""
    de: str = ""
    """German words."""

    @property
    def names(self) -> tuple[str, ...]:
        """All words by which the term is found, those of the kit first."""
        found: dict[str, None] = {}
        for text in (self.term, self.ot, self.it, self.de, self.unused):
            # "setpoint (SP)" is found by both; "channel (of alerts)" by its word alone.
            short = [one for inside in _BRACKETS.findall(text) for one in _BETWEEN.split(inside)]
            for one in (
                *_BETWEEN.split(_BRACKETS.sub("", text)),
                *(word for word in short if not word.startswith("of ")),
            ):
                word = one.strip(" `")
                if word:
                    found[word] = None
        return tuple(found)


@lru_cache(maxsize=1)
def all_terms() -> tuple[Term, ...]:
    """Return all terms, in the order of the glossary.

    >>> all_terms()[0].term
    'twin'
    """
    text = (files("twinlab.model.glossary") / "terms.yaml").read_text(encoding="utf-8")
    return tuple(
        Term(
            one["term"],
            one["meaning"],
            one.get("from", ""),
            one.get("not", ""),
            one.get("ot", ""),
            one.get("it", ""),
            one.get("de", ""),
        )
        for one in yaml.safe_load(text)
    )
