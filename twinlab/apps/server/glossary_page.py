"""``/glossary``: the glossary of the kit as a page, with a field to find a term by any word; no script, nothing from another host."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from tornado.web import RequestHandler

from twinlab._html import html
from twinlab.apps.plain_page import plain_page, plain_policy
from twinlab.errors import UnknownTermError
from twinlab.languages import available, current_language, preferred_language, tr, use_from_here
from twinlab.model.glossary import all_terms, glossary

if TYPE_CHECKING:
    from markupsafe import Markup

    from twinlab.model.glossary import Term

__all__ = ["GlossaryHandler", "glossary_html", "glossary_route"]

#: Relative to the page, so that it works behind a proxy with a prefix.
ADDRESS = "glossary"
_LONGEST_WORD = 100

_STYLE = """
main { width: min(860px, 100% - 32px); margin: 24px auto; }
h1 { margin: 0 0 4px; font-size: 24px; font-weight: 600; }
p { margin: 0 0 16px; color: var(--soft); }
form { display: flex; flex-wrap: wrap; gap: 8px; align-items: end; margin: 0 0 24px; }
label { flex: 1 1 220px; font-weight: 500; }
input[type=search] { display: block; width: 100%; padding: 10px 12px; border: 1px solid var(--line); border-radius: 6px; background: var(--paper); color: inherit; font: inherit; }
button { padding: 10px 20px; border: 0; border-radius: 6px; background: var(--blue); color: var(--on-blue); font: inherit; font-weight: 600; cursor: pointer; }
:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px; }
article { margin: 0 0 12px; padding: 14px 18px; background: var(--paper); border: 1px solid color-mix(in srgb, var(--line) 35%, transparent); border-radius: 8px; }
h2 { margin: 0; font-size: 18px; font-weight: 600; }
article p { margin: 2px 0 8px; color: var(--ink); }
dl { display: grid; grid-template-columns: minmax(90px, max-content) 1fr; gap: 2px 16px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; }
"""

_BODY = """<p>One thing often has two words: one in the plant, one in IT.</p>
<form method="get" action="{{ address }}" role="search">
<input type="hidden" name="lang" value="{{ language }}">
<label>A word of either side<input type="search" name="q" value="{{ word }}" maxlength="{{ longest }}"></label>
<button type="submit">Find</button>
</form>
{% if fault %}<p role="status">{{ fault }}</p>{% endif %}
{% if word %}<p><a href="{{ address }}?lang={{ language }}">All terms</a></p>{% endif %}
{% for one in terms %}
<article>
<h2 lang="en">{{ one.term }}</h2>
<p lang="en">{{ one.meaning }}</p>
<dl>
{% for name, text in sides(one) %}<dt>{{ name }}</dt><dd>{{ text }}</dd>
{% endfor %}
</dl>
</article>
{% endfor %}"""


def glossary_html(word: str, *, title: str, nonce: str) -> Markup:
    """Return the page, with the terms that have a word; all if it's empty.

    Parameters
    ----------
    word : str
        What the reader asked for; any text.
    title : str
        Title of the twin.
    nonce : str
        Allows the style.
    """
    asked, fault = word.strip()[:_LONGEST_WORD], ""
    terms: tuple[Term, ...] = all_terms()
    if asked:
        try:
            terms = glossary(asked).terms
        except UnknownTermError:
            terms, fault = (), tr("The glossary doesn't have {word}.", word=asked)
    body = html(
        _BODY,
        address=ADDRESS,
        fault=fault,
        language=current_language(),
        longest=_LONGEST_WORD,
        sides=_sides,
        terms=terms,
        word=asked,
    )
    return plain_page(body, title=title, style=_STYLE, nonce=nonce, heading=tr("Glossary"))


def glossary_route(title: str) -> tuple[str, type[GlossaryHandler], dict[str, str]]:
    """Return the route of the page, for a server of a twin with this title."""
    return f"/{ADDRESS}", GlossaryHandler, {"title": title}


def _sides(term: Term) -> list[tuple[str, str]]:
    """Return name of a side and its words, of those that have any."""
    found = [
        (tr("In the plant (OT)"), term.ot),
        (tr("In IT"), term.it),
        (tr("In German"), term.de),
        (tr("From"), term.origin),
    ]
    return [(name, text) for name, text in found if text]


class GlossaryHandler(RequestHandler):
    """Answers with the page in the language that the link states, else in the browser's."""

    def initialize(self, title: str) -> None:
        """Store the title of the twin."""
        self.title = title

    def prepare(self) -> None:
        """Choose the language; Tornado runs each request as a task of its own."""
        asked = self.get_query_argument("lang", "")
        use_from_here(
            asked if asked in available() else preferred_language(self.request.headers.get("Accept-Language", ""))
        )

    def get(self) -> None:
        """Answer with the page."""
        nonce = secrets.token_urlsafe(16)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Content-Security-Policy", plain_policy(nonce))
        self.finish(str(glossary_html(self.get_query_argument("q", ""), title=self.title, nonce=nonce)))
