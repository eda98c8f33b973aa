"""The frame of pages without scripts, such as login and glossary: one HTML file each, nothing from another host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._html import html
from twinlab.languages import current_language

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["plain_page", "plain_policy"]

_STYLE = """
:root { color-scheme: light dark; --blue: #005A8C; --on-blue: #fff; --ink: #1b1f23; --soft: #57606a; --line: #6e7781;
  --paper: #fff; --ground: #eef2f5; --bad: #a4133c; --bad-ground: #fdecef; }
@media (prefers-color-scheme: dark) {
  :root { --blue: #56B4E9; --on-blue: #06202f; --ink: #e6edf3; --soft: #a8b3bd; --line: #8b949e; --paper: #1b2127;
    --ground: #0f1317; --bad: #ffb3c0; --bad-ground: #3c1620; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.45 Roboto, system-ui, -apple-system, "Segoe UI", sans-serif; }
header { background: #005A8C; color: #fff; padding: 14px 24px; font-size: 20px; font-weight: 500; }
a { color: var(--blue); }
"""
_PAGE = """<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{{ head }}
<title>{% if heading %}{{ heading }} · {% endif %}{{ title }}</title>
<link rel="icon" href="data:,">
<style nonce="{{ nonce }}">{{ style }}</style>
</head>
<body>
<header>{% if heading %}{{ title }}{% else %}<h1>{{ title }}</h1>{% endif %}</header>
<main>
{% if heading %}<h1>{{ heading }}</h1>{% endif %}
{{ body }}
</main>
</body>
</html>
"""


def plain_page(
    body: Markup, *, title: str, style: str, nonce: str, heading: str = "", head: str | Markup = ""
) -> Markup:
    """Return a page.

    Parameters
    ----------
    body : Markup
        What is below the heading.
    title : str
        Title of the twin, in the bar at the top.
    style : str
        Style sheet of this kind of page, which follows the common one: colours for light and dark are variables such as ``--ink``.
        Never text from a user or a file.
    nonce : str
        Nonce of the style sheet, as in `plain_policy`.
    heading : str
        Heading of the page; "" if its title is the heading.
    head : Markup
        More elements of the head.
    """
    return html(
        _PAGE, language=current_language(), head=head, heading=heading, title=title, nonce=nonce, style=html(_STYLE + style), body=body
    )  # fmt: skip


def plain_policy(nonce: str, *, ancestors: str = "'none'") -> str:
    """Return the content security policy of such a page.

    >>> plain_policy("abc").split("; ")[1]
    "style-src 'nonce-abc'"
    """
    return f"default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
