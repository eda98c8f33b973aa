"""The field of a question: an input with a list of completions, which can be used by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import panel as pn
import param

from twinlab.languages import tr

__all__ = ["QuestionField"]

_LONGEST = 2_000


class QuestionField(pn.custom.JSComponent):
    """Field for a question. What the reader does is passed to the functions that `listen` is given.

    Enter asks for the plan; Enter on the question whose plan is shown (``planned``) runs it.
    """

    text = param.String(default="", doc="the question; setting it replaces what the reader has typed")
    planned = param.String(default="", doc="the question whose plan is shown")
    offers = param.Dict(default={"text": "", "items": []}, doc="completions, and the text that they belong to")
    copying = param.Dict(default={}, doc="CSS class of a button -> text that a click on it copies")
    explains = param.Boolean(default=False, doc="whether there is a button that explains what is shown")
    shortcut = param.Boolean(default=False, doc="whether the key / goes to the field, from everywhere on the page")
    words = param.Dict(default={}, doc="what the field says: label, placeholder, button and name of the list")
    status = param.String(default="", doc="what is being done, for screen readers")

    _stylesheets: ClassVar[list[str]] = [
        """
    :host{display:block;width:100%}
    .field{position:relative;display:flex;align-items:center;gap:6px;font:15px/1.4 Roboto,system-ui,sans-serif;
      color:var(--panel-on-surface-color,#000)}
    .hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
    input{flex:1 1 auto;min-width:0;box-sizing:border-box;height:36px;padding:0 12px;font:inherit;color:inherit;border-radius:18px;
      border:1px solid rgba(127,127,127,.75);background:var(--panel-surface-color,#fff)}
    input::placeholder{color:inherit;opacity:.75}
    input:focus-visible{outline:2px solid var(--panel-primary-color,#005A8C);outline-offset:-1px}
    button{all:unset;box-sizing:border-box;flex:none;cursor:pointer;height:36px;padding:0 14px;border-radius:18px;font-weight:500;
      border:1px solid rgba(127,127,127,.75);background:var(--panel-surface-color,#fff)}
    button[hidden]{display:none}
    button:hover{background:rgba(127,127,127,.18)}
    button:focus-visible{outline:2px solid var(--panel-primary-color,#005A8C);outline-offset:1px}
    ul{position:absolute;left:0;right:0;top:40px;z-index:5;margin:0;padding:4px 0;list-style:none;max-height:50vh;overflow:auto;
      background:var(--panel-surface-color,#fff);border:1px solid rgba(127,127,127,.5);border-radius:8px;
      box-shadow:0 6px 18px rgba(0,0,0,.25)}
    ul[hidden]{display:none}
    li{padding:7px 14px;cursor:pointer;overflow-wrap:anywhere}
    li[aria-selected=true],li:hover{background:rgba(86,180,233,.28)}
    """
    ]

    _esm = """
    export function render({model}) {
      const make = (tag, more) => Object.assign(document.createElement(tag), more)
      const box = make("div", {className: "field"})
      box.setAttribute("role", "search")
      const label = make("label", {className: "hidden", htmlFor: "question", textContent: model.words.label})
      const input = make("input", {id: "question", type: "text", autocomplete: "off", spellcheck: false, maxLength: 2000,
        placeholder: model.words.placeholder})
      const list = make("ul", {id: "offers", hidden: true})
      const go = make("button", {type: "button", textContent: model.words.go})
      const findings = make("button", {type: "button", textContent: model.words.findings, hidden: !model.explains})
      const status = make("span", {className: "hidden"})
      status.setAttribute("role", "status")
      const attributes = {role: "combobox", "aria-expanded": "false", "aria-controls": "offers", "aria-autocomplete": "list"}
      for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value)
      list.setAttribute("role", "listbox")
      list.setAttribute("aria-label", model.words.list)
      box.append(label, input, go, findings, list, status)
      let active = -1, timer = null
      const send = (kind, text = "") => model.send_msg({kind, text})
      const items = () => [...list.children]
      const close = () => {
        list.hidden = true
        active = -1
        input.setAttribute("aria-expanded", "false")
        input.removeAttribute("aria-activedescendant")
      }
      const mark = place => {
        active = place
        items().forEach((one, at) => one.setAttribute("aria-selected", String(at === place)))
        if (place < 0) { input.removeAttribute("aria-activedescendant"); return }
        input.setAttribute("aria-activedescendant", items()[place].id)
        items()[place].scrollIntoView({block: "nearest"})
      }
      const typed = () => {
        clearTimeout(timer)
        timer = setTimeout(() => send("typed", input.value), 120)
      }
      const choose = text => {
        input.value = text
        close()
        input.focus()
        typed()
      }
      const show = () => {
        const focused = input.getRootNode().activeElement === input
        if (!focused || model.offers.text !== input.value || !model.offers.items.length) { close(); return }
        list.replaceChildren(...model.offers.items.map((text, at) => {
          const item = make("li", {id: `offer-${at}`, textContent: text})
          item.setAttribute("role", "option")
          item.setAttribute("aria-selected", "false")
          // Before the field loses the focus.
          item.addEventListener("pointerdown", event => { event.preventDefault(); choose(text) })
          return item
        }))
        active = -1
        list.hidden = false
        input.setAttribute("aria-expanded", "true")
      }
      const ask = () => {
        const text = input.value.trim()
        close()
        clearTimeout(timer)
        if (!text) { input.focus(); return }
        send(model.planned === text.split(/\\s+/).join(" ") ? "run" : "plan", text)
      }
      input.addEventListener("input", typed)
      input.addEventListener("focus", () => { if (input.value === "") typed() })
      input.addEventListener("blur", close)
      input.addEventListener("keydown", event => {
        const count = list.hidden ? 0 : items().length
        if (event.key === "ArrowDown" && count) { event.preventDefault(); mark((active + 1) % count) }
        else if (event.key === "ArrowUp" && count) { event.preventDefault(); mark((active <= 0 ? count : active) - 1) }
        else if (event.key === "Enter" && !event.isComposing) {
          event.preventDefault()
          if (active >= 0) choose(items()[active].textContent); else ask()
        } else if (event.key === "Escape" && count) { event.preventDefault(); close() }
        else if (event.key === "Tab" && active >= 0) { event.preventDefault(); choose(items()[active].textContent) }
      })
      go.addEventListener("click", ask)
      findings.addEventListener("click", () => send("explain"))
      const slash = event => {
        if (event.key !== "/" || !model.shortcut || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
        const target = event.composedPath()[0]
        if (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName)) return
        event.preventDefault()
        input.focus()
        input.select()
      }
      const copy = event => {
        const classes = new Set(event.composedPath().flatMap(one => [...(one.classList ?? [])]))
        for (const [name, text] of Object.entries(model.copying)) if (classes.has(name)) navigator.clipboard.writeText(text)
      }
      document.addEventListener("keydown", slash)
      document.addEventListener("click", copy)
      input.value = model.text
      model.on("text", () => { input.value = model.text; close() })
      model.on("offers", show)
      model.on("status", () => { status.textContent = model.status })
      model.on("remove", () => {
        clearTimeout(timer)
        document.removeEventListener("keydown", slash)
        document.removeEventListener("click", copy)
      })
      return box
    }
    """

    def __init__(self, **params: Any) -> None:
        words = {
            "label": tr("Ask about the data, in English or German"),
            "placeholder": tr("Ask about the data …  (press /)")
            if params.get("shortcut")
            else tr("Ask about the data …"),
            "go": tr("Ask"),
            "findings": tr("Findings"),
            "list": tr("Completions"),
        }
        super().__init__(sizing_mode="stretch_width", margin=0, words=words, **params)
        self._act: dict[str, Callable[[str], object]] = {}

    def listen(
        self,
        *,
        typed: Callable[[str], object],
        plan: Callable[[str], object],
        run: Callable[[str], object],
        explain: Callable[[str], object],
    ) -> None:
        """Call functions with the text: while it is typed, when a plan is asked for, when the shown plan is to run; or findings."""
        self._act = {"typed": typed, "plan": plan, "run": run, "explain": explain}

    def _handle_msg(self, data: Any) -> None:
        """Pass on what the reader did; a browser can send anything."""
        kind, text = (data.get("kind"), data.get("text")) if isinstance(data, dict) else (None, None)
        if isinstance(kind, str) and isinstance(text, str) and kind in self._act:
            self._act[kind](text[:_LONGEST])
