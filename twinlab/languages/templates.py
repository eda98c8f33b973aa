"""The texts of HTML templates: found between tags and in attributes that are read aloud, and translated in place."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from twinlab.languages.current import current_language
from twinlab.languages.texts import tr

__all__ = ["template_texts", "translated_template"]

#: What isn't text: whole styles and scripts, tags (with blocks of Jinja in them), blocks and comments of Jinja.
_MARKUP = re.compile(
    r"""(<style\b.*?</style>|<script\b.*?</script>|<!--.*?-->"""
    r"""|</?[A-Za-z!](?:\{%.*?%\}|\{\{.*?\}\}|"[^"]*"|'[^']*'|[^<>"'])*>"""
    r"""|\{%.*?%\}|\{#.*?#\})""",
    re.DOTALL,
)
#: Attributes with a text that is shown or read aloud.
_ATTRIBUTE = re.compile(r"""(\s(?:aria-label|title|placeholder|alt)=)("[^"]*"|'[^']*')""")
_WORD = re.compile(r"[^\W\d_]{2,}")


def template_texts(template: str) -> list[str]:
    """Return the texts of a template that are to be translated.

    >>> template_texts('<p title="All of it">Row {{ n }}: <b>{{ kind }}</b></p>')
    ['All of it', 'Row {{ n }}']
    """
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    _walk(template, note)
    return found


def translated_template(template: str) -> str:
    """Return a template with its texts in the current language."""
    language = current_language()
    return template if language == "en" else _translated(template, language)


@lru_cache(maxsize=2048)
def _translated(template: str, language: str) -> str:  # noqa: ARG001  (the key of the cache)
    return _walk(template, tr)


def _walk(template: str, change: Callable[[str], str]) -> str:
    parts = _MARKUP.split(template)
    for place, part in enumerate(parts):
        parts[place] = _attributes(part, change) if place % 2 else _text(part, change)
    return "".join(parts)


def _text(part: str, change: Callable[[str], str]) -> str:
    inner = part.strip(" \n·:")
    return part.replace(inner, change(inner), 1) if _has_words(inner) else part


def _attributes(tag: str, change: Callable[[str], str]) -> str:
    if not tag.startswith("<") or tag.startswith(("<style", "<script", "<!--")):
        return tag

    def replace(found: re.Match[str]) -> str:
        quote, text = found[2][0], found[2][1:-1]
        return found[0] if not _has_words(text) or "{%" in text else f"{found[1]}{quote}{change(text)}{quote}"

    return _ATTRIBUTE.sub(replace, tag)


def _has_words(text: str) -> bool:
    """Return whether anything but expressions and entities is written."""
    return bool(_WORD.search(re.sub(r"\{\{.*?\}\}|&\w+;", "", text)))
