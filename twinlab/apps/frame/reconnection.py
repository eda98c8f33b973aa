"""A page that loses its server says so, and loads again as soon as the server answers: its address has the whole state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bokeh.events import ConnectionLost
from bokeh.models import CustomJS

from twinlab.apps.login.request_guard import LOGIN

if TYPE_CHECKING:
    from bokeh.document import Document

__all__ = ["RECONNECTION", "reload_when_lost"]

# Defines `twinlabReconnect`. The login page answers readers with and without a login, in every process. A reader whose
# login has ended gets there by the reload, instead of seeing old data as if they were new. If the page is lost again and
# again, something between browser and server cuts websockets: then only the reader loads the page again.
RECONNECTION = f"""
window.twinlabReconnect = (() => {{
  const MOST = 5, WITHIN = 60000, KEY = "twinlab-reloads"
  let begun = false
  const reloads = () => {{
    try {{ return JSON.parse(sessionStorage.getItem(KEY) ?? "[]").filter(time => Date.now() - time < WITHIN) }}
    catch {{ return [] }}
  }}
  const say = text => {{
    let notice = document.getElementById("tl-lost")
    if (!notice) {{
      notice = document.createElement("div")
      notice.id = "tl-lost"
      notice.setAttribute("role", "alert")
      notice.style.cssText = "position:fixed;left:50%;top:64px;transform:translateX(-50%);z-index:4000;max-width:90vw;" +
        "padding:10px 18px;border-radius:6px;background:#7a3500;color:#fff;font:500 15px/1.4 Roboto,system-ui,sans-serif;" +
        "box-shadow:0 2px 10px rgba(0,0,0,.4)"
      document.body.append(notice)
    }}
    notice.textContent = text
  }}
  return () => {{
    if (begun) return
    begun = true
    const before = reloads()
    if (before.length >= MOST) {{
      say("The connection to the server is lost again and again. Check the network, then reload the page.")
      return
    }}
    say("The connection to the server was lost. Reconnecting …")
    let pause = 300
    const ask = async () => {{
      try {{
        const answer = await fetch({LOGIN!r}, {{redirect: "manual", cache: "no-store"}})
        if (answer.status < 500) {{
          try {{ sessionStorage.setItem(KEY, JSON.stringify([...before, Date.now()])) }} catch {{}}
          location.reload()
          return
        }}
      }} catch {{}}
      pause = Math.min(2 * pause, 10000)
      setTimeout(ask, pause)
    }}
    setTimeout(ask, pause)
  }}
}})()
"""


def reload_when_lost(document: Document) -> None:
    """Let a page load again when it has lost its server; for pages with `RECONNECTION` in their template."""
    document.js_on_event(ConnectionLost, CustomJS(code="window.twinlabReconnect?.()"))
