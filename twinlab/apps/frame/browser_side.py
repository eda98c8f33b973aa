"""Parts of the frame that run in the browser: address, tab title, system theme, time zone, clipboard, drawer."""

from __future__ import annotations

from typing import Any, ClassVar

import panel as pn
import param

from twinlab.languages import mark

__all__ = ["BrowserSide", "Drawer"]


class BrowserSide(pn.custom.JSComponent):
    """Invisible component for what only a browser knows and does.

    Setting ``address`` changes the address bar; a step in the browser's history changes ``went_back``.
    """

    #: Query of the page, and whether it is a new step in the browser's history.
    address = param.Dict(default={"search": "", "push": False})
    tab_title = param.String(default="", doc="title of the browser's tab")
    chosen_theme = param.Selector(
        default="", objects=["", "dark", "light"], doc="theme that the reader chose; else the system's"
    )
    zone = param.String(default="", doc="IANA name of the reader's time zone")
    phone = param.Boolean(default=False, doc="whether the screen is that of a phone")
    reloads = param.Integer(default=0, doc="number of times that the server wants the page loaded again")
    went_back = param.Parameter(default=None, doc="(count, query) of the last step in the browser's history")
    #: CSS class of a button -> text that a click copies; None copies the address. Not a JavaScript callback of each
    #: button, for which Panel would search the page at each change of its layout.
    copying = param.Dict(default={}, doc="a button's CSS class -> what a click on it copies; None: the page's address")

    _esm = """
    // Bokeh rewrites the style sheet of each part of a chart at every draw, mostly with the same text, and the browser
    // then recalculates all styles: a quarter of the time until a chart is painted. Unchanged text is skipped here. If
    // a later Bokeh renames these internals, nothing is skipped.
    const skipUnchangedStyles = () => {
      let sheets
      try { sheets = window.Bokeh.require("core/dom").InlineStyleSheet.prototype } catch { return }
      const write = sheets?._update
      if (!write || sheets.skipsUnchanged) return
      sheets.skipsUnchanged = true
      sheets._update = function(text) { if (this.el.textContent !== text) write.call(this, text) }
    }
    export function render({model, view}) {
      skipUnchangedStyles()
      const page = view.root.model
      const set = (name, value) => { if (page.data && name in page.data.properties) page.data[name] = value }
      const title = () => { if (model.tab_title) document.title = model.tab_title }
      const write = () => {
        const {search, push} = model.address
        if (search === window.location.search) return
        const url = window.location.pathname + search
        if (push) window.history.pushState({}, "", url)
        else window.history.replaceState({}, "", url)
      }
      // Each part of a page copies the theme of the part that was drawn first, and sets its own in all others. A part that is
      // drawn while the theme is being set can therefore set the page back, or the page may miss the change: only the
      // reader's click on the button is a choice, and whatever else changes the theme is undone.
      const system = window.matchMedia("(prefers-color-scheme: dark)")
      const wanted = () => model.chosen_theme ? model.chosen_theme === "dark" : system.matches
      const theme = () => { if (page.data?.dark_theme !== wanted()) set("dark_theme", wanted()) }
      // The page may have missed the last of several changes.
      const redraw = () => {
        const drawn = view.root.container?.classList
        if (!drawn?.contains(wanted() ? "mui-light" : "mui-dark")) return
        set("dark_theme", !wanted())
        theme()
      }
      const checks = [1000, 3000, 10000].map(after => setTimeout(redraw, after))
      let check = null
      const afterwards = () => {
        setTimeout(theme, 0)
        clearTimeout(check)
        check = setTimeout(redraw, 300)
      }
      const choose = event => {
        if (!event.composedPath().some(one => one.getAttribute?.("aria-label") === "Toggle theme")) return
        model.chosen_theme = wanted() ? "light" : "dark"
        afterwards()
      }
      const back = () => model.send_msg({search: window.location.search})
      const copy = event => {
        const classes = new Set(event.composedPath().flatMap(one => [...(one.classList ?? [])]))
        for (const [name, text] of Object.entries(model.copying))
          if (classes.has(name)) navigator.clipboard.writeText(text ?? window.location.href)
      }
      title()
      theme()
      model.zone = Intl.DateTimeFormat().resolvedOptions().timeZone || ""
      model.phone = window.matchMedia("(max-width: 600px)").matches
      if (model.phone) set("sidebar_open", false)
      model.on("tab_title", title)
      model.on("address", write)
      model.on("reloads", () => window.location.reload())
      const watched = page.data?.properties.dark_theme
      if (watched) page.data.on_change(watched, afterwards)
      system.addEventListener("change", theme)
      window.addEventListener("popstate", back)
      document.addEventListener("click", copy)
      document.addEventListener("click", choose, true)
      model.on("remove", () => {
        for (const one of [check, ...checks]) clearTimeout(one)
        system.removeEventListener("change", theme)
        window.removeEventListener("popstate", back)
        document.removeEventListener("click", copy)
        document.removeEventListener("click", choose, true)
      })
      write()
    }
    """

    def __init__(self, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)

    def _handle_msg(self, data: Any) -> None:
        """Record a step in the browser's history."""
        if isinstance(data, dict) and isinstance(data.get("search"), str):
            count = 0 if self.went_back is None else self.went_back[0]
            self.went_back = (count + 1, data["search"])


class Drawer(pn.custom.JSComponent):
    """Panel at the right of the page, on a phone over all of it. Escape closes it and returns the focus."""

    open = param.Boolean(default=False, doc="whether the drawer is shown")
    label = param.String(default=mark("Asset"), doc="accessible name")
    content = pn.viewable.Child(doc="content of the drawer")
    width_px = param.Integer(default=380, doc="width on a wide screen, pixels")
    top_px = param.Integer(default=0, doc="pixels between the top bar and the drawer on a screen that isn't wide")
    takes_focus = param.Boolean(default=True, doc="whether opening the drawer moves the keyboard's focus into it")

    _stylesheets: ClassVar[list[str]] = [
        """
    aside{position:fixed;right:0;top:var(--tl-bar,52px);bottom:0;width:var(--tl-width,380px);z-index:1150;overflow:auto;
      box-sizing:border-box;padding:4px 12px 24px;background:var(--panel-surface-color,#fff);
      color:var(--panel-on-surface-color,#000);border-left:1px solid rgba(127,127,127,.35)}
    aside[hidden]{display:none}
    aside:focus{outline:none}
    aside:focus-visible{outline:2px solid var(--panel-primary-color);outline-offset:-2px}
    .head{display:flex;justify-content:flex-end;position:sticky;top:0;z-index:1;height:0;overflow:visible}
    .close{all:unset;cursor:pointer;width:36px;height:36px;border-radius:18px;text-align:center;
      font:22px/36px Roboto,system-ui,sans-serif;background:var(--panel-surface-color,#fff)}
    .close:hover{background:rgba(127,127,127,.2)}
    .close:focus-visible{outline:2px solid var(--panel-primary-color)}
    @media (max-width:1100px){aside{top:calc(var(--tl-bar,52px) + var(--tl-below,0px));box-shadow:-6px 0 18px rgba(0,0,0,.25)}}
    @media (max-width:600px){aside{left:0;width:auto;border-left:none}}
    """
    ]

    _esm = """
    const focused = () => {
      let one = document.activeElement
      while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement
      return one
    }
    // The focused cell of a table may have been redrawn meanwhile: then its nearest ancestor gets the focus.
    const around = one => {
      const out = []
      for (; one; one = one.parentElement ?? one.getRootNode().host) out.push(one)
      return out
    }
    export function render({model}) {
      const aside = document.createElement("aside")
      const head = document.createElement("div")
      const close = document.createElement("button")
      let back = []
      aside.tabIndex = -1
      aside.style.setProperty("--tl-width", `${model.width_px}px`)
      aside.style.setProperty("--tl-below", `${model.top_px}px`)
      head.className = "head"
      close.className = "close"
      close.type = "button"
      close.textContent = "×"
      close.setAttribute("aria-label", "Close")
      close.addEventListener("click", () => { model.open = false })
      head.append(close)
      aside.append(head, model.get_child("content"))
      const name = () => aside.setAttribute("aria-label", model.label)
      const show = () => {
        const was = !aside.hidden
        aside.hidden = !model.open
        if (model.open && !was && model.takes_focus) { back = around(focused()); aside.focus({preventScroll: true}) }
        if (!model.open && was)
          for (const one of back) {
            if (!one.isConnected) continue
            one.focus({preventScroll: true})
            if (focused() === one) break
          }
      }
      const escape = event => {
        if (event.key !== "Escape" || event.defaultPrevented || !model.open) return
        const inMenu = event.composedPath().some(
          one => ["menu", "listbox", "dialog"].includes(one.getAttribute?.("role")))
        if (!inMenu) model.open = false
      }
      aside.hidden = true
      name()
      show()
      model.on("label", name)
      model.on("open", show)
      document.addEventListener("keydown", escape)
      model.on("remove", () => document.removeEventListener("keydown", escape))
      return aside
    }
    """
