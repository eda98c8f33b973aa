"""Choices of a view in the reader's language: labels are translated, values aren't."""

from __future__ import annotations

import param
from bokeh.core.enums import NumeralLanguage

from twinlab.languages import current_language, tr

__all__ = ["number_language", "translate_choices"]


def translate_choices(view: param.Parameterized) -> None:
    """Translate the labels of a view's own choices, of this view only.

    Values, which links and code have, stay as they are. Choices that are set later, such as the assets of a twin, are data.

    Parameters
    ----------
    view : Parameterized
        Whose ``Selector`` and ``ListSelector`` parameters are changed in place, never those of its class.
    """
    if current_language() == "en":
        return
    for name in view.param:
        if name == "name" or not isinstance(view.param[name], param.Selector):
            continue
        choices = view.param[name]
        labels = choices.names or {one: one for one in choices.objects if isinstance(one, str)}
        shown = {tr(label) if label else label: value for label, value in labels.items()}
        if shown.keys() != labels.keys() and len(shown) == len(choices.objects):
            choices.objects = shown


def number_language() -> str:
    """Return the language in which Bokeh writes the numbers of a table; English if it doesn't know the reader's.

    >>> number_language()
    'en'
    """
    language = current_language()
    return language if language in list(NumeralLanguage) else "en"
