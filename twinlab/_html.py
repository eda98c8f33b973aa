"""HTML from templates: every value is escaped unless it is HTML already, so that no caller can forget it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from twinlab.languages.templates import translated_template

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

__all__ = ["html"]


def html(template: str, /, **values: object) -> Markup:
    """Render a Jinja template, with its texts in the reader's language.

    Parameters
    ----------
    template : str
        A Jinja template: ``{{ name }}``, ``{% for row in rows %} … {% endfor %}``. Never text from a user or a file.
    **values
        Variables of the template. Text is escaped; a ``Markup``, the return type of this function, isn't.

    Raises
    ------
    jinja2.UndefinedError
        If the template uses a variable that isn't given.

    Examples
    --------
    >>> html("<b>{{ name }}</b>", name="<script>")
    Markup('<b>&lt;script&gt;</b>')
    >>> html("<ul>{% for row in rows %}<li>{{ row }}</li>{% endfor %}</ul>", rows=["a & b", html("<i>c</i>")])
    Markup('<ul><li>a &amp; b</li><li><i>c</i></li></ul>')
    """
    from markupsafe import Markup  # noqa: PLC0415  (loaded with the first page or HTML repr)

    return Markup(_template(translated_template(template)).render(values))  # noqa: S704  (the template has escaped every value)


@lru_cache(maxsize=1024)
def _template(text: str) -> Template:
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  (loaded with the first page or HTML repr)

    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        text
    )
