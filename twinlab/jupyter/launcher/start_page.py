"""The start page: the twins of a folder with their two buttons; and the page of an error. One file each, without script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab._html import html
from twinlab.jupyter.launcher.twin_folders import TwinFolder
from twinlab.languages import current_language, tr

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["error_html", "start_html"]

_STYLE = """
:root { color-scheme: light dark; --blue: #005A8C; --on-blue: #fff; --ink: #1b1f23; --soft: #57606a; --line: #6e7781;
  --paper: #fff; --ground: #eef2f5; --bad: #a4133c; }
@media (prefers-color-scheme: dark) {
  :root { --blue: #56B4E9; --on-blue: #06202f; --ink: #e6edf3; --soft: #a8b3bd; --line: #8b949e; --paper: #1b2127;
    --ground: #0f1317; --bad: #ffb3c0; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; background: var(--ground); color: var(--ink);
  font: 16px/1.45 Roboto, system-ui, -apple-system, "Segoe UI", sans-serif; }
header { background: #005A8C; color: #fff; padding: 14px 24px; }
h1 { margin: 0; font-size: 20px; font-weight: 500; }
main { width: min(860px, 100% - 32px); margin: 24px auto; }
p { margin: 0 0 16px; color: var(--soft); overflow-wrap: anywhere; }
article { display: flex; flex-wrap: wrap; gap: 12px 24px; align-items: center; justify-content: space-between; margin: 0 0 12px;
  padding: 18px 20px; background: var(--paper); border: 1px solid color-mix(in srgb, var(--line) 35%, transparent);
  border-radius: 8px; }
h2 { margin: 0; font-size: 18px; font-weight: 600; overflow-wrap: anywhere; }
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
a { color: var(--blue); }
.bad { color: var(--bad); white-space: pre-wrap; }
"""
_PAGE = """<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<link rel="icon" href="data:,">
<style nonce="{{ nonce }}">{{ style }}</style>
</head>
<body>
<header><h1>{{ title }}</h1></header>
<main>
{{ body }}
</main>
</body>
</html>
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
    title = tr("Digital twins")
    return html(_PAGE, language=current_language(), title=title, nonce=nonce, style=html(_STYLE), body=body)
