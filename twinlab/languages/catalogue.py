"""Catalogues of messages: one ``.po`` file a language in this folder, read by Babel when the language is first used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from twinlab.errors import SchemaError

__all__ = ["PSEUDO", "Catalogue", "available", "catalogue"]

#: Folder of the catalogues.
FOLDER = Path(__file__).parent
#: A language for tests: every message is marked, so that what isn't translated can be seen.
PSEUDO = "en-xa"
_PLACEHOLDER = re.compile(r"(\{\{.*?\}\}|\{[^{}]*\}|<[^<>]*>|&\w+;|@\w+|`[^`]*`)")
_ACCENTED = str.maketrans("aeiouAEIOUcnsyz", "áéíóúÁÉÍÓÚçñšýž")


@dataclass(frozen=True)
class Catalogue:
    """The messages of one language, and how it writes numbers and dates."""

    language: str
    #: English message -> its translation.
    messages: Mapping[str, str]
    #: English singular -> its translations, one a plural form.
    plurals: Mapping[str, tuple[str, ...]]
    #: Number -> position of its plural form.
    plural_form: Callable[[int], int]
    #: Signs between thousands and before decimals.
    group: str
    decimal: str
    #: Format of a day for ``strftime``.
    date: str

    def message(self, english: str) -> str:
        """Return the translation of a message; the message itself if it has none."""
        if self.language == PSEUDO:
            return pseudo(english)
        return self.messages.get(english, english)

    def plural(self, one: str, many: str, count: int) -> str:
        """Return the translation for a number of things; the English text if it has none."""
        english = one if count == 1 else many
        if self.language == PSEUDO:
            return pseudo(english)
        forms = self.plurals.get(one)
        return english if forms is None else forms[min(self.plural_form(count), len(forms) - 1)]


def available() -> dict[str, str]:
    """Return the languages that can be chosen -> their own names, English first.

    >>> available()["en"]
    'English'
    """
    return dict(_available())


@lru_cache(maxsize=1)
def _available() -> tuple[tuple[str, str], ...]:
    names = [(path.stem, _own_name(path)) for path in sorted(FOLDER.glob("*.po"))]
    return (("en", "English"), *names)


def _own_name(path: Path) -> str:
    """Return the name of a language in that language, from the header of its file: no library is loaded for a menu."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            found = re.match(r'"X-Language-Name: (.+?)\\n"', line)
            if found:
                return found.group(1)
            if line.startswith("#:"):
                break
    return path.stem


@lru_cache(maxsize=16)
def catalogue(language: str) -> Catalogue | None:
    """Return the catalogue of a language; None for English, and for a language without a file.

    Raises
    ------
    SchemaError
        If the file isn't as gettext writes it.
    """
    if language == PSEUDO:
        return Catalogue(PSEUDO, {}, {}, lambda count: int(count != 1), ",", ".", "%Y-%m-%d")
    path = FOLDER / f"{language}.po"
    if language not in available() or not path.exists():
        return None
    return _read(path, language)


def _read(path: Path, language: str) -> Catalogue:
    from gettext import c2py  # noqa: PLC0415  (loaded with the first language other than English)

    try:
        from babel import Locale  # noqa: PLC0415
        from babel.messages.pofile import PoFileError, read_po  # noqa: PLC0415
    except ImportError as error:
        msg = 'pages in other languages than English need Babel: pip install "twinlab-kit[explore]"'
        raise ImportError(msg) from error
    locale = Locale.parse(language, sep="-")
    try:
        with path.open("rb") as file:
            found = read_po(file, locale=locale, abort_invalid=True)
    except PoFileError as error:
        msg = f"{path.name}: expected a catalogue as gettext writes it: {error}"
        raise SchemaError(msg) from error
    messages: dict[str, str] = {}
    plurals: dict[str, tuple[str, ...]] = {}
    for message in found:
        if not message.id or message.fuzzy:
            continue
        if isinstance(message.id, tuple):
            if isinstance(message.string, tuple) and all(message.string):
                plurals[str(message.id[0])] = tuple(map(str, message.string))
                # A word may be a message of its own, too.
                messages.setdefault(str(message.id[0]), str(message.string[0]))
        elif isinstance(message.string, str) and message.string:
            messages[str(message.id)] = message.string
    symbols = locale.number_symbols["latn"]
    return Catalogue(
        language,
        messages,
        plurals,
        c2py(found.plural_expr),
        str(symbols["group"]),
        str(symbols["decimal"]),
        _day_format(locale.date_formats["medium"].pattern),
    )


def _day_format(pattern: str) -> str:
    """Return the pattern of a day of CLDR as a format for ``strftime``; ISO's for one that isn't of numbers.

    >>> _day_format("dd.MM.y"), _day_format("d MMM y")
    ('%d.%m.%Y', '%Y-%m-%d')
    """
    parts = {"dd": "%d", "d": "%d", "MM": "%m", "M": "%m", "y": "%Y", "yyyy": "%Y"}
    found = re.split(r"([A-Za-z]+)", pattern)
    if any(part not in parts for part in found[1::2]):
        return "%Y-%m-%d"
    return "".join(parts.get(part, part) for part in found)


def pseudo(english: str) -> str:
    """Return a message with accents in brackets, its placeholders and marks unchanged.

    >>> pseudo("{count:,} rows")
    '⟦{count:,} rówš⟧'
    """
    parts = _PLACEHOLDER.split(english)
    shown = [part if place % 2 else part.translate(_ACCENTED) for place, part in enumerate(parts)]
    return "⟦" + "".join(shown) + "⟧"
