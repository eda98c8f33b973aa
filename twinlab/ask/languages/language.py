"""Read the file of a language: phrases with their symbols, endings of words, other words for the names of models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from twinlab.errors import UnknownTermError
from twinlab.model.terms import nearest

__all__ = ["LANGUAGES", "Language", "load_language"]

#: Code of a language -> its file.
LANGUAGES = {"en": "english.yaml", "de": "german.yaml"}


@dataclass(frozen=True)
class Language:
    """One language.

    Parameters
    ----------
    code : str
        Of ISO 639-1, such as "en".
    title : str
        Its name in itself.
    phrases : mapping
        Phrase in lower case -> symbols, the first one preferred.
    terms : mapping
        Name in a model -> other words for it.
    endings : tuple of str
        Endings that a word may have without becoming another one.
    changes : mapping
        Ending of a stem -> endings of words that have it.
    beginnings : mapping
        Beginning of a compound -> the word that it is.
    day_first : bool
        Whether the day comes first in 3/2/2026.
    sentences : mapping
        Sentences of answers, with what they name in braces.
    examples : tuple of str
        Questions that are offered, with kinds of names in braces.
    plurals, plural_endings : mapping
        Name in a model -> its plural; end of any other word -> that of its plural.
    """

    code: str
    title: str
    phrases: Mapping[str, tuple[str, ...]]
    terms: Mapping[str, tuple[str, ...]]
    endings: tuple[str, ...]
    changes: Mapping[str, tuple[str, ...]]
    beginnings: Mapping[str, str]
    day_first: bool
    sentences: Mapping[str, str]
    examples: tuple[str, ...]
    plurals: Mapping[str, str]
    plural_endings: Mapping[str, str]

    def plural(self, name: str, word: str) -> str:
        """Return the plural of a word for a name of a model.

        >>> load_language("en").plural("airport", "airport"), load_language("en").plural("city", "city")
        ('airports', 'cities')
        """
        if name in self.plurals:
            return self.plurals[name]
        if not any(self.plural_endings.values()):
            return word
        for end, other in self.plural_endings.items():
            if word.endswith(end):
                return word.removesuffix(end) + other
        return word

    def sentence(self, key: str, **values: object) -> str:
        """Return a sentence with what it names."""
        return self.sentences[key].format(**values)

    def stems(self, word: str) -> Iterator[str]:
        """Yield a word and the words that it may be a form of, likely ones first.

        >>> list(load_language("en").stems("trucks"))[:2]
        ['trucks', 'truck']
        """
        yield word
        for stem, endings in self.changes.items():
            for ending in endings:
                if word.endswith(ending) and len(word) > len(ending) + 1:
                    yield word.removesuffix(ending) + stem
        for ending in self.endings:
            if word.endswith(ending) and len(word) - len(ending) >= 3:
                yield word.removesuffix(ending)


@cache
def load_language(code: str) -> Language:
    """Return a language.

    Raises
    ------
    UnknownTermError
        If there is no such language.
    """
    if code not in LANGUAGES:
        msg = f"expected a language, got {code!r}{nearest(code, LANGUAGES)}"
        raise UnknownTermError(msg)
    text = files(__package__).joinpath(LANGUAGES[code]).read_text(encoding="utf-8")
    # All as text: "on" and "no" are words here, not booleans.
    data = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  (it makes texts alone)
    phrases: dict[str, tuple[str, ...]] = {}
    for symbol, words in data["symbols"].items():
        for word in words:
            key = str(word).casefold()
            phrases[key] = (*phrases.get(key, ()), str(symbol))
    return Language(
        code=data["language"],
        title=data["title"],
        phrases=phrases,
        terms={str(name): tuple(str(word).casefold() for word in words) for name, words in data["terms"].items()},
        endings=tuple(data["endings"]),
        changes={str(stem): tuple(endings) for stem, endings in data["changes"].items()},
        beginnings=data["beginnings"],
        day_first=data["day_first"] == "true",
        sentences=data["sentences"],
        examples=tuple(data["examples"]),
        plurals=data["plurals"],
        plural_endings=data["plural_endings"],
    )
