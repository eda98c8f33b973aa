"""The HTML around a page: what stands before the first model arrives, and a way past the bar for keyboards."""

from __future__ import annotations

from twinlab.apps.frame.accessibility_fixes import MENDING

__all__ = ["shell"]

_DARK = "html,body{background:#121212;color:#fff}"

#: Extends the template of panel-material-ui's Page. Its overlay, which darkens the page until nothing is left to do, is
#: replaced by a sentence: the page can be used as soon as it stands.
_SHELL = """{% extends "base.html" %}
{% block preamble %}{{ super() }}
    <meta name="color-scheme" content="@SCHEME@">
    <script>@MENDING@</script>
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
    <button id="tl-skip" type="button">Skip to content</button>
    <div id="loader" role="status"><p>Opening {{ title | e }} …</p></div>
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
          loader.firstElementChild.textContent =
            "The server doesn't answer. Check that it still runs, then load the page again."
          return
        }
        if (performance.now() - started > 20000) {
          loader.firstElementChild.textContent = "This takes long. Check that the server still runs, or load the page again."
        }
        setTimeout(wait, 50)
      }
      wait()
      document.getElementById("tl-skip").addEventListener("click", () => {
        const main = inside(document.body, "main")
        if (main) { main.tabIndex = -1; main.focus() }
      })
    })()
  </script>
{% endblock %}
"""


def shell(theme: str | None) -> str:
    """Return the page's template for a reader who wants the ``"dark"`` or ``"light"`` theme; None follows the system.

    >>> "prefers-color-scheme" in shell(None), "prefers-color-scheme" in shell("light")
    (True, False)
    """
    of_system = f"@media (prefers-color-scheme: dark){{{_DARK}}}"
    background = of_system if theme is None else _DARK if theme == "dark" else ""
    scheme = "light dark" if theme is None else theme
    return _SHELL.replace("@BACKGROUND@", background).replace("@SCHEME@", scheme).replace("@MENDING@", MENDING)
