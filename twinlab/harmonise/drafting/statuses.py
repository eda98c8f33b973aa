"""The drafted `status` of a qualifier column: a flag for each of its codes, and questions about codes that say little."""

from __future__ import annotations

import re
from collections.abc import Iterable

from twinlab.harmonise.drafting.profiles import Profile
from twinlab.harmonise.drafting.questions import QuestionPlan
from twinlab.harmonise.drafting.yaml_text import quoted

__all__ = ["status_line", "status_questions"]

#: Codes that are words -> their flag; the beginning of a word suffices.
_WORDS = {
    "good": "pass", "ok": "pass", "valid": "pass", "pass": "pass", "approved": "pass", "gut": "pass", "bon": "pass",
    "suspect": "suspect", "question": "suspect", "doubt": "suspect", "estimat": "suspect", "warn": "suspect",
    "bad": "fail", "invalid": "fail", "fail": "fail", "error": "fail", "reject": "fail",
    "missing": "missing", "no data": "missing", "nodata": "missing",
}  # fmt: skip
#: Usual abbreviations -> the flag that is drafted for them, with a question.
_LETTERS = {"a": "pass", "p": "pass", "e": "suspect", "s": "suspect", "b": "fail", "f": "fail", "m": "missing"}
_FLAGS = ("pass", "suspect", "fail", "missing", "not_evaluated")
_SEPARATORS = re.compile(r"[\s,;:]+")
#: Longest part of several codes in one cell, such as "P e".
_LONGEST_PART = 3


def status_line(column: str, profile: Profile, indent: str) -> str:
    """Return the YAML line of a status.

    >>> status_line("t_cd", Profile("t_cd", "text", 9, 2, ("P", "P e")), "  ")
    '  status: {column: t_cd, codes: {P: pass, e: suspect}, blank: pass}'
    """
    codes = ", ".join(f"{quoted(code)}: {_drafted(code)}" for code in _codes(profile.terms))
    return f"{indent}status: {{column: {quoted(column)}, codes: {{{codes}}}, blank: pass}}"


def status_questions(column: str, profile: Profile, path: str, asked: set[str]) -> list[QuestionPlan]:
    """Return the questions about codes that aren't words; ``asked`` are codes of other columns, and gets those of this one.

    ``path`` is the path of the status in the mapping.
    """
    found = []
    for code in _codes(profile.terms):
        if _word(code) is not None or code in asked:
            continue
        asked.add(code)
        drafted = _drafted(code)
        choices = (drafted, *(flag for flag in _FLAGS if flag != drafted))
        ask = f"What does the code {code!r} in {column!r} say about a value?"
        found.append(QuestionPlan(f"{path}.codes.{code}", ask, "a column of codes beside the values", choices, drafted))
    return found


def _codes(terms: Iterable[str]) -> list[str]:
    """Return the codes of a column's texts; cells with several short codes are split."""
    codes: dict[str, None] = {}
    for term in terms:
        parts = [part for part in _SEPARATORS.split(term) if part]
        several = len(parts) > 1 and all(len(part) <= _LONGEST_PART for part in parts)
        codes |= dict.fromkeys(parts if several else [term])
    return sorted(codes)


def _word(code: str) -> str | None:
    return next((flag for word, flag in _WORDS.items() if code.casefold().startswith(word)), None)


def _drafted(code: str) -> str:
    return _word(code) or _LETTERS.get(code.casefold(), "not_evaluated")
