"""The error of a question that isn't understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from twinlab.errors import TwinlabError

__all__ = ["NotUnderstoodError"]


class NotUnderstoodError(TwinlabError):
    """A question isn't understood: say it in the words that the message shows, or ask one of its suggestions.

    Parameters
    ----------
    key : str
        A sentence of the languages.
    values : mapping
        What the reason names.
    suggestions : sequence of str
        Questions that are understood.
    """

    def __init__(self, key: str, values: Mapping[str, str] | None = None, suggestions: Sequence[str] = ()) -> None:
        self.key, self.values, self.suggestions = key, dict(values or {}), tuple(suggestions)
        self.language = "en"
        shown = ", ".join(f"{name}: {value}" for name, value in self.values.items())
        super().__init__(f"the question isn't understood ({key}{'; ' + shown if shown else ''})")

    def in_language(self, code: str, suggestions: Sequence[str]) -> Self:
        """Note the language of the question, and questions that are understood."""
        self.language, self.suggestions = code, tuple(suggestions)
        return self
