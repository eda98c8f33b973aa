"""Words of scenarios: the section ``scenarios`` of a language's file, and those words of questions that name times and numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import yaml

from twinlab.ask.languages import LANGUAGES, load_language
from twinlab.ask.languages.language import Language

__all__ = ["ScenarioLanguage", "scenario_language"]

#: Words of questions that mean the same in scenarios: times, numbers, units and what joins them.
_SHARED = (
    "month", "weekday", "unit", "part", "clock", "midnight", "noon", "number", "measure", "today", "from", "to", "at", "and", "between",
    "until", "before", "after", "filler", "during", "this", "now", "by", "since",
)  # fmt: skip


@dataclass(frozen=True)
class ScenarioLanguage:
    """A language with the words of scenarios.

    Parameters
    ----------
    language : Language
        Its ``phrases`` are those of scenarios, and of questions those that name times and numbers.
    examples : tuple of str
        Texts that are offered, with kinds of names in braces.
    """

    language: Language
    examples: tuple[str, ...]

    def sentence(self, key: str, **values: object) -> str:
        """Return a sentence with what it names."""
        return self.language.sentence(key, **values)


@cache
def scenario_language(code: str) -> ScenarioLanguage:
    """Return the words of scenarios in a language.

    Raises
    ------
    UnknownTermError
        If there is no such language.

    >>> scenario_language("de").language.phrases["verdopple"]
    ('factor 2',)
    """
    language = load_language(code)
    text = files("twinlab.ask.languages").joinpath(LANGUAGES[code]).read_text(encoding="utf-8")
    data = yaml.load(text, Loader=yaml.BaseLoader)["scenarios"]  # noqa: S506  (it makes texts alone)
    phrases: dict[str, tuple[str, ...]] = {}
    for symbol, words in data["symbols"].items():
        for word in words:
            key = str(word).casefold()
            phrases[key] = (*phrases.get(key, ()), str(symbol))
    for phrase, symbols in language.phrases.items():
        shared = tuple(one for one in symbols if one.split()[0] in _SHARED and one not in phrases.get(phrase, ()))
        if shared and not (phrase in phrases and shared == ("filler",)):
            phrases[phrase] = (*phrases.get(phrase, ()), *shared)
    terms = dict(language.terms)
    for name, others in data["terms"].items():
        terms[name] = (*terms.get(name, ()), *(str(one).casefold() for one in others))
    return ScenarioLanguage(
        replace(language, phrases=phrases, sentences=data["sentences"], terms=terms), tuple(data["examples"])
    )
