"""HTML template of a page: a loading message before the first model arrives, and a skip link for keyboards."""

from __future__ import annotations

import json

from twinlab.apps.frame.accessibility_fixes import ACCESSIBILITY_FIXES
from twinlab.apps.frame.reconnection import RECONNECTION
from twinlab.languages import current_language, mark, tr

__all__ = ["page_template"]

_DARK = "html,body{background:#121212;color:#fff}"

#: Extends the template of panel-material-ui's Page. Its overlay, which darkens the page until the server is idle, is
#: replaced by a sentence: the page can be used as soon as it is drawn.
_TEMPLATE = """{% extends "base.html" %}
{% block preamble %}{{ super() }}
    <meta name="color-scheme" content="@SCHEME@">
    <script>@FIXES@</script>
    <script>@RECONNECTION@</script>
{% endblock %}
{% block loader_css %}
      @BACKGROUND@
      #tl-skip{position:fixed;left:8px;top:-60px;z-index:3000;padding:8px 14px;border-radius:0 0 6px 6px;
        background:#fff;color:#005A8C;font:500 14px/1.4 Roboto,system-ui,sans-serif;border:0;cursor:pointer;outline-offset:2px}
      #tl-skip:focus{top:0}
      #loader{position:fixed;left:0;right:0;top:40vh;text-align:center;font:15px/1.5 Roboto,system-ui,sans-serif}
      #loader p{margin:0 16px}
{% endblock %}
{% block loader %}
    <button id="tl-skip" type="button">@SKIP@</button>
    <div id="loader" role="status"><p>@OPENING@</p></div>
{% endblock %}
{% block loader_script %}
  <script>
    (() => {
      const loader = document.getElementById("loader")
      const started = performance.now()
      const inside = (root, wanted) => {
        const found = root.querySelector(wanted)
        if (found) return found
        for (const one of root.querySelectorAll("*")) {
          const deeper = one.shadowRoot && inside(one.shadowRoot, wanted)
          if (deeper) return deeper
        }
        return null
      }
      const wait = () => {
        if (inside(document.body, "main")) { loader.remove(); return }
        if (_wsError) {
          loader.remove()
          window.twinlabReconnect()
          return
        }
        if (performance.now() - started > 20000) {
          loader.firstElementChild.textContent = "This takes long. Check that the server is running, or reload the page."
        }
        setTimeout(wait, 50)
      }
      wait()
      document.documentElement.lang = "@LANGUAGE@"
      document.getElementById("tl-skip").addEventListener("click", () => {
        const main = inside(document.body, "main")
        if (main) { main.tabIndex = -1; main.focus() }
      })
    })()
  </script>
{% endblock %}
"""


#: Sentences in the scripts of the template.
_SENTENCES = (
    mark("This takes long. Check that the server is running, or reload the page."),
    mark("The connection to the server is lost again and again. Check the network, then reload the page."),
    mark("The connection to the server was lost. Reconnecting …"),
)


def page_template(theme: str | None) -> str:
    """Return the template for the theme ``"dark"`` or ``"light"``; None follows the system.

    >>> "prefers-color-scheme" in page_template(None), "prefers-color-scheme" in page_template("light")
    (True, False)
    """
    system_background = f"@media (prefers-color-scheme: dark){{{_DARK}}}"
    background = system_background if theme is None else _DARK if theme == "dark" else ""
    scheme = "light dark" if theme is None else theme
    text = (
        _TEMPLATE.replace("@BACKGROUND@", background)
        .replace("@SCHEME@", scheme)
        .replace("@FIXES@", ACCESSIBILITY_FIXES)
        .replace("@RECONNECTION@", RECONNECTION)
        .replace("@OPENING@", tr("Opening {{ title | e }} …"))
        .replace("@SKIP@", tr("Skip to content"))
        .replace("@LANGUAGE@", current_language())
    )
    for sentence in _SENTENCES:
        text = text.replace(sentence, json.dumps(tr(sentence), ensure_ascii=False)[1:-1])
    return text
