"""The page that explains how a sheet refreshes itself: addresses, the query for Excel, where the token goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._html import html
from twinlab.apps.plain_page import plain_page
from twinlab.languages import tr

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["help_html", "power_query"]

_STYLE = """
body { line-height: 1.5; }
main { width: min(820px, 100% - 32px); margin: 24px auto; }
h1 { font-size: 22px; } h2 { font-size: 18px; margin-top: 28px; }
code, pre { font: 14px/1.5 ui-monospace, Consolas, monospace; }
pre { padding: 12px 16px; background: var(--paper); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
"""
_BODY = """<p>These addresses give the exceptions of page Now, worst first, as they are when you ask, with what you may see:</p>
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
<p>Notes that are written in a linked sheet are lost at the next refresh. Use the workbook of page Now, which can be read back.</p>"""


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
    body = html(
        _BODY, address=address, query=power_query(address), with_login=with_login, file="exceptions.fods", office="LibreOffice",
        command=f"twinlab user token users.json {user or 'NAME'}",
    )  # fmt: skip
    # The policy of the server's pages allows style sheets without a nonce.
    return plain_page(body, title=title, style=_STYLE, nonce="", heading=tr("A sheet that refreshes itself"))
