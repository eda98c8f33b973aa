"""Choices, numbers and buttons of views in the reader's language; values, which links and code have, stay as they are."""

from __future__ import annotations

import json

import param
from bokeh.models import HTMLTemplateFormatter, NumberFormatter

from twinlab.languages import current_language, tr

__all__ = ["number_formatter", "table_buttons", "translate_choices"]


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


def number_formatter(pattern: str) -> NumberFormatter | HTMLTemplateFormatter:
    """Return the format of a column of numbers, with the marks of the reader's language.

    Parameters
    ----------
    pattern : str
        As Bokeh's `NumberFormatter` has it: "0,0" with groups of thousands, ".00" with two decimals, ".[00]" with up to two, " %" for shares.

    Notes
    -----
    `NumberFormatter` knows languages, but BokehJS 3.9 comes without them. Elsewhere than in English the browser writes the numbers.

    >>> type(number_formatter("0,0.[00]")).__name__
    'NumberFormatter'
    """
    language = current_language()
    if language == "en":
        return NumberFormatter(format=pattern, nan_format="–", null_format="–")
    number = pattern.removesuffix(" %")
    whole, _, decimals = number.partition(".")
    most = decimals.count("0")
    options = json.dumps({
        "useGrouping": "," in whole,
        "minimumFractionDigits": 0 if "[" in decimals else most,
        "maximumFractionDigits": most,
    })  # fmt: skip
    shown = f"({'value' if number == pattern else '100 * value'}).toLocaleString({json.dumps(language)}, {options})"
    unit = pattern[len(number) :].replace(" ", "\u00a0")
    return HTMLTemplateFormatter(
        template=f"<%= typeof value === 'number' && isFinite(value) ? {shown} + '{unit}' : '–' %>"
    )


def table_buttons() -> dict[str, object]:
    """Return the configuration of a Tabulator whose buttons are in the reader's language.

    >>> table_buttons()
    {}
    """
    language = current_language()
    if language == "en":
        return {}
    buttons = {
        "first": tr("First"), "first_title": tr("First page"), "last": tr("Last"), "last_title": tr("Last page"),
        "prev": tr("Prev"), "prev_title": tr("Previous page"), "next": tr("Next"), "next_title": tr("Next page"),
    }  # fmt: skip
    return {"locale": language, "langs": {language: {"pagination": buttons}}}
