"""The start page: the twins of a folder with their two buttons; and the page of an error. One file each, without script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab._html import html
from twinlab.apps.plain_page import plain_page
from twinlab.jupyter.launcher.twin_folders import TwinFolder
from twinlab.languages import tr

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["error_html", "start_html"]

_STYLE = """
h1 { margin: 0; font-size: 20px; font-weight: 500; }
main { width: min(860px, 100% - 32px); margin: 24px auto; }
p { margin: 0 0 16px; color: var(--soft); }
article { display: flex; flex-wrap: wrap; gap: 12px 24px; align-items: center; justify-content: space-between; margin: 0 0 12px;
  padding: 18px 20px; background: var(--paper); border: 1px solid color-mix(in srgb, var(--line) 35%, transparent);
  border-radius: 8px; }
h2 { margin: 0; font-size: 18px; font-weight: 600; }
article p { margin: 2px 0 0; font-size: 14px; }
.name { flex: 1 1 240px; min-width: 0; }
.buttons { display: flex; flex-wrap: wrap; gap: 10px; }
form { margin: 0; }
.button { display: inline-block; padding: 9px 16px; border: 1px solid var(--blue); border-radius: 6px; background: var(--blue);
  color: var(--on-blue); font: inherit; font-weight: 600; text-decoration: none; cursor: pointer; }
.second { background: transparent; color: var(--blue); }
.button:hover { filter: brightness(1.1); }
.button:focus-visible, a:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px; }
code, pre { font: 14px/1.5 ui-monospace, Consolas, monospace; }
pre { margin: 0 0 16px; padding: 12px 16px; overflow-x: auto; background: var(--paper); border-radius: 6px; }
.bad { color: var(--bad); white-space: pre-wrap; }
"""
_LISTED = """<p><code>{{ root }}</code></p>
{% for twin in twins %}
<article>
<div class="name"><h2 id="{{ twin.key }}">{{ twin.title }}</h2><p>{{ twin.place }}</p></div>
<div class="buttons">
<a class="button" href="pages/{{ twin.key }}/" aria-describedby="{{ twin.key }}">Open the pages</a>
<form method="post" action="notebook"><input type="hidden" name="twin" value="{{ twin.key }}">
<button class="button second" type="submit" aria-describedby="{{ twin.key }}">Write a starter notebook</button></form>
</div>
</article>
{% endfor %}"""
_EMPTY = """<p><code>{{ root }}</code></p>
<p>There is no twin here yet. In a terminal, draft one from your files, then load this page again:</p>
<pre>{{ draft }}</pre>
<p>Or try a demo twin in a notebook:</p>
<pre>{{ demo }}</pre>"""
_DRAFT = "twinlab create pilot/ --from fridges.csv\ntwinlab ingest pilot/ fridges.csv"
_DEMO = "%load_ext twinlab\n%twin --demo parcel"
_ERROR = """<p class="bad" role="alert">{{ text }}</p>
<p><a href="{{ back }}">Back to the list of twins</a></p>"""


def start_html(root: Path, twins: Sequence[TwinFolder], *, nonce: str) -> Markup:
    """Return the start page.

    Parameters
    ----------
    root : Path
        The folder that was searched.
    twins : sequence of TwinFolder
    nonce : str
        Nonce of the style sheet, as in the response's Content-Security-Policy.
    """
    body = html(_LISTED, root=root, twins=twins) if twins else html(_EMPTY, root=root, draft=_DRAFT, demo=_DEMO)
    return _page(body, nonce=nonce)


def error_html(text: str, *, back: str, nonce: str) -> Markup:
    """Return the page of an error, with a link to the start page at the relative address ``back``."""
    return _page(html(_ERROR, text=text, back=back), nonce=nonce)


def _page(body: Markup, *, nonce: str) -> Markup:
    return plain_page(body, title=tr("Digital twins"), style=_STYLE, nonce=nonce)
