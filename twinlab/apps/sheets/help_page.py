"""The page that explains how a sheet refreshes itself: addresses, the query for Excel, where the token goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._html import html
from twinlab.languages import current_language, tr

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["help_html", "power_query"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f23; --paper: #fff; --ground: #eef2f5; --blue: #005A8C; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #1b2127; --ground: #0f1317; --blue: #56B4E9; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 Roboto, system-ui, -apple-system, "Segoe UI", sans-serif; }
header { background: #005A8C; color: #fff; padding: 14px 24px; font-size: 20px; overflow-wrap: anywhere; }
main { width: min(820px, 100% - 32px); margin: 24px auto; }
h1 { font-size: 22px; } h2 { font-size: 18px; margin-top: 28px; }
p, li { overflow-wrap: anywhere; }
code, pre { font: 14px/1.5 ui-monospace, Consolas, monospace; }
pre { padding: 12px 16px; background: var(--paper); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
a { color: var(--blue); }
"""
_PAGE = """<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ heading }} · {{ title }}</title>
<link rel="icon" href="data:,">
<style>{{ style }}</style>
</head>
<body>
<header>{{ title }}</header>
<main>
<h1>{{ heading }}</h1>
<p>These addresses give the exceptions of page Now, worst first, as they are when you ask, with what you may see:</p>
<ul>
<li><a href="exceptions.csv">{{ address }}</a></li>
<li><a href="exceptions.fods">{{ file }}</a></li>
</ul>
{% if with_login %}
<p>Programs log in with your name and a token instead of your password. Ask whoever runs this server for one:</p>
<pre>{{ command }}</pre>
<p>Type the token where your spreadsheet program asks for a password, never into a sheet, a query or an address. Your program stores it outside of the file.</p>
{% endif %}
<h2>Excel</h2>
<p>Data, Get Data, From Other Sources, Blank Query; in the Advanced Editor paste this, and choose Basic where Excel asks how to log in:</p>
<pre>{{ query }}</pre>
<p>In the properties of the query, let it refresh every few minutes and when the file is opened.</p>
<h2>{{ office }}</h2>
<p>Open the file exceptions.fods above: its sheet is linked to the address, and refreshes every five minutes while it is open. Allow updates of links when LibreOffice asks.</p>
<h2>Notes</h2>
<p>Notes that are written in a linked sheet are lost at the next refresh. Use the workbook of page Now, which can be read back.</p>
</main>
</body>
</html>
"""


def power_query(address: str) -> str:
    """Return the query for Excel's Advanced Editor, in the language M; it has no token.

    >>> print(power_query("https://twin/sheets/exceptions.csv").splitlines()[1].strip())
    Source = Csv.Document(Web.Contents("https://twin/sheets/exceptions.csv"), [Delimiter = ",", Encoding = 65001, QuoteStyle = QuoteStyle.Csv]),
    """
    quoted = address.replace('"', '""')
    return (
        "let\n"
        f'    Source = Csv.Document(Web.Contents("{quoted}"), [Delimiter = ",", Encoding = 65001, QuoteStyle = QuoteStyle.Csv]),\n'
        "    Sheet = Table.PromoteHeaders(Source, [PromoteAllScalars = true])\n"
        "in\n"
        "    Sheet"
    )


def help_html(*, title: str, address: str, user: str, with_login: bool) -> Markup:
    """Return the page.

    Parameters
    ----------
    title : str
        Title of the twin.
    address : str
        URL of the CSV, as the reader's browser knows it.
    user : str
        Name of the reader; "" without a login.
    with_login : bool
        Whether readers have to log in.
    """
    return html(
        _PAGE, language=current_language(), heading=tr("A sheet that refreshes itself"), title=title, style=html(_STYLE), address=address,
        query=power_query(address), with_login=with_login, file="exceptions.fods", office="LibreOffice",
        command=f"twinlab user token users.json {user or 'NAME'}",
    )  # fmt: skip
