"""The login and logout pages: one HTML file each, without script, font or picture from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from twinlab._html import html
from twinlab.apps.plain_page import plain_page
from twinlab.languages import tr

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["logged_out_html", "login_html", "logout_html"]

_STYLE = """
body { min-height: 100vh; display: grid; grid-template-rows: auto 1fr; }
main { width: min(400px, 100% - 32px); margin: clamp(16px, 12vh, 120px) auto 32px; align-self: start; padding: 28px;
  background: var(--paper); border: 1px solid color-mix(in srgb, var(--line) 35%, transparent); border-radius: 8px; }
h1 { margin: 0 0 4px; font-size: 22px; font-weight: 600; }
p { margin: 0 0 18px; color: var(--soft); overflow-wrap: anywhere; }
p.bad { margin-top: 12px; padding: 10px 12px; border-left: 4px solid var(--bad); border-radius: 4px; background: var(--bad-ground);
  color: var(--bad); }
label { display: block; margin: 0 0 4px; font-weight: 500; }
input { width: 100%; margin: 0 0 18px; padding: 10px 12px; border: 1px solid var(--line); border-radius: 6px;
  background: transparent; color: inherit; font: inherit; }
button { width: 100%; padding: 11px; border: 0; border-radius: 6px; background: var(--blue); color: var(--on-blue);
  font: inherit; font-weight: 600; cursor: pointer; }
button:hover, a.button:hover { filter: brightness(1.1); }
button.second { margin-top: 12px; background: transparent; color: var(--blue); border: 1px solid var(--blue); }
a.button { margin: 0 0 18px; padding: 11px; border-radius: 6px; background: var(--blue); color: var(--on-blue); font-weight: 600;
  text-decoration: none; }
p.or { display: flex; align-items: center; gap: 12px; }
p.or::before, p.or::after { content: ""; flex: 1; border-top: 1px solid color-mix(in srgb, var(--line) 50%, transparent); }
input:focus-visible, button:focus-visible, a:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px; }
a { display: block; margin-top: 16px; text-align: center; }
"""

_HEAD = """<meta name="robots" content="noindex">
{% if refresh %}<meta http-equiv="refresh" content="1; url={{ refresh }}">{% endif %}"""

_LOGIN = """{% if message %}<p class="bad" role="alert">{{ message }}</p>\
{% elif with_form %}<p>With the name and password you were given{% if provider %}, or with your organisation's login{% endif %}.</p>\
{% else %}<p>You are sent to your organisation's login, and back.</p>{% endif %}
{% if provider %}
<a class="button" href="/login/oidc?{{ query }}">{{ provider }}</a>
{% endif %}
{% if with_form %}
{% if provider %}<p class="or"><span>or</span></p>{% endif %}

<form method="post" action="/login">
<input type="hidden" name="_xsrf" value="{{ token }}">
<input type="hidden" name="next" value="{{ next }}">
<label for="name">Name</label>
<input id="name" name="name" value="{{ name }}" autocomplete="username" autocapitalize="none" spellcheck="false" required
{%- if not name %} autofocus{% endif %}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required
{%- if name %} autofocus{% endif %}>
<button type="submit">Log in</button>
</form>
{% endif %}"""

_LOGOUT = """<p>Pages of this twin that are open in this browser close; or those in all browsers in which you have logged in.</p>
<form method="post" action="/logout">
<input type="hidden" name="_xsrf" value="{{ token }}">
<button type="submit">Log out</button>
<button class="second" type="submit" name="everywhere" value="yes">Log out in all browsers</button>
</form>
<a href="/">Back to the twin</a>"""


def login_html(
    *,
    title: str,
    token: str,
    nonce: str,
    next: str,  # noqa: A002  (the form field's name)
    message: str = "",
    name: str = "",
    with_form: bool = True,
    provider: str = "",
) -> Markup:
    """Return the login page.

    Parameters
    ----------
    title : str
        Title of the twin.
    token : str
        Token that proves that the form comes from this server (XSRF).
    nonce : str
        Nonce of the style sheet, as in the response's Content-Security-Policy.
    next : str
        Path to redirect to after the login.
    message : str
        Error of the last try.
    name : str
        User name of the last try.
    with_form : bool
        Whether there are fields for name and password.
    provider : str
        Text of the button that leads to another login; "" for none.

    Returns
    -------
    Markup
        HTML; all parameters are escaped.
    """
    # After an error with the name given, the password is what is typed next: it gets the focus.
    body = html(
        _LOGIN, message=message, token=token, next=next, name=name, with_form=with_form, provider=provider,
        query=urlencode({"next": next}),
    )  # fmt: skip
    return _page(tr("Log in"), title=title, nonce=nonce, body=body)


def logout_html(*, title: str, token: str, nonce: str) -> Markup:
    """Return the page that asks for confirmation before logging out."""
    return _page(tr("Log out?"), title=title, nonce=nonce, body=html(_LOGOUT, token=token))


def logged_out_html(*, title: str, token: str, nonce: str, onward: str) -> Markup:  # noqa: ARG001  (it has no form)
    """Return the page that leads to a provider's own logout, by itself and by a link."""
    body = html(
        "<p>You are logged out here. You are sent to the logout of your organisation.</p>"
        '<a class="button" href="{{ onward }}">Log out of your organisation, too</a>',
        onward=onward,
    )
    return _page(tr("Logged out"), title=title, nonce=nonce, body=body, refresh=onward)


def _page(heading: str, *, title: str, nonce: str, body: Markup, refresh: str = "") -> Markup:
    return plain_page(body, title=title, style=_STYLE, nonce=nonce, heading=heading, head=html(_HEAD, refresh=refresh))
