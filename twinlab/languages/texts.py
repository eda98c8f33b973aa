"""Messages, numbers and days in the current language: `tr`, `trn`, `mark`, `local_number`, `date_text`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from numbers import Number
from string import Formatter
from typing import Any, TypeVar

from twinlab.languages.catalogue import Catalogue, catalogue
from twinlab.languages.current import current_language

__all__ = ["date_pattern", "date_text", "local_number", "mark", "tr", "tr_keys", "tr_list", "tr_values", "trn"]

_T = TypeVar("_T")
_ISO = "%Y-%m-%d"


def tr(message: str, /, **values: object) -> str:
    """Return a message in the current language.

    Parameters
    ----------
    message : str
        In English. With ``values``, a format string that names each of them: ``"{count:,} rows"``.
    **values
        What the message names. Numbers and days are written as the language writes them.

    >>> tr("{count:,} rows", count=1200)
    '1,200 rows'
    """
    found = _catalogue()
    if found is None:
        return message.format(**values) if values else message
    text = found.message(message)
    return _LocalFormatter(found).vformat(text, (), values) if values else text


def trn(one: str, many: str, count: int, /, **values: object) -> str:
    """Return a message about a number of things in the current language; ``{count}`` is the number.

    >>> trn("{count} row", "{count} rows", 1), trn("{count} row", "{count} rows", 2)
    ('1 row', '2 rows')
    """
    found = _catalogue()
    if found is None:
        return (one if count == 1 else many).format(count=count, **values)
    return _LocalFormatter(found).vformat(found.plural(one, many, count), (), {"count": count, **values})


def mark(message: str) -> str:
    """Return a message unchanged: it is a constant that `tr` translates where it is shown.

    >>> mark("History")
    'History'
    """
    return message


def tr_list(messages: Iterable[str]) -> list[str]:
    """Return messages in the current language.

    >>> tr_list(["History"])
    ['History']
    """
    return [tr(message) for message in messages]


def tr_keys(choices: Mapping[str, _T]) -> dict[str, _T]:
    """Return labels in the current language -> what they choose.

    >>> tr_keys({"1 day": "1d"})
    {'1 day': '1d'}
    """
    return {tr(label): value for label, value in choices.items()}


def tr_values(titles: Mapping[_T, str]) -> dict[_T, str]:
    """Return names -> their titles in the current language.

    >>> tr_values({"since": "since (UTC)"})
    {'since': 'since (UTC)'}
    """
    return {name: tr(title) if title else title for name, title in titles.items()}


def local_number(text: str) -> str:
    """Return a number that Python has written, such as ``1,048.36``, as the current language writes it.

    >>> local_number("1,048.36")
    '1,048.36'
    """
    found = _catalogue()
    return text if found is None else _number(found, text)


def date_text(when: date, pattern: str = _ISO) -> str:
    """Return a day or an instant as the current language writes it.

    Parameters
    ----------
    when : date or datetime
        A ``Timestamp`` of pandas, too.
    pattern : str
        Format for ``strftime``, with ``%Y-%m-%d`` for the day.

    >>> date_text(date(2026, 1, 31))
    '2026-01-31'
    """
    return when.strftime(date_pattern(pattern))


def date_pattern(pattern: str) -> str:
    """Return a format for ``strftime`` with the day as the current language writes it.

    >>> date_pattern("%Y-%m-%d %H:%M")
    '%Y-%m-%d %H:%M'
    """
    found = _catalogue()
    return pattern if found is None else pattern.replace(_ISO, found.date)


def _catalogue() -> Catalogue | None:
    language = current_language()
    return None if language == "en" else catalogue(language)


def _number(found: Catalogue, text: str) -> str:
    return text.translate({ord(","): found.group, ord("."): found.decimal})


class _LocalFormatter(Formatter):
    """Formats numbers and days as a language writes them."""

    def __init__(self, found: Catalogue) -> None:
        self._found = found

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401  (anything can be formatted)
        if _ISO in format_spec:
            return format(value, format_spec.replace(_ISO, self._found.date))
        text = format(value, format_spec)
        if isinstance(value, bool) or not isinstance(value, Number):
            return text
        text = _number(self._found, text)
        # German and others write a space before the sign.
        return f"{text[:-1]}\N{NO-BREAK SPACE}%" if format_spec.endswith("%") and self._found.decimal == "," else text
