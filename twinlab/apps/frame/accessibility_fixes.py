"""Script that fixes accessibility and layout faults of third-party widgets, for phones and screen readers."""

from __future__ import annotations

__all__ = ["ACCESSIBILITY_FIXES"]

#: Runs in the page's head, before any widget exists. Each widget has a shadow root of its own, which the page's styles
#: and observers don't reach: every new shadow root gets a style sheet, and that of a table an observer. Nothing is polled.
ACCESSIBILITY_FIXES = """
(() => {
  // Panel makes a column as wide as its widest row without wrapping: wider than the screen of a phone.
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(
    ":host(.bk-panel-models-layout-Column), :host(.bk-Column), :host(.bk-Row) {min-width: 0 !important}")

  // Tabulator puts its page buttons inside the element with role grid: move the role to header and rows alone.
  const fixTable = table => {
    const header = table.querySelector(":scope > .tabulator-header")
    const holder = table.querySelector(":scope > .tabulator-tableholder")
    if (!header || !holder?.querySelector(":scope > .tabulator-table")) return
    const grid = document.createElement("div")
    grid.setAttribute("role", "grid")
    grid.style.display = "contents"
    grid.setAttribute("aria-label", table.getAttribute("aria-label") || "Table")
    table.insertBefore(grid, header)
    grid.append(header, holder)
    table.removeAttribute("role")
    table.removeAttribute("aria-owns")
    holder.setAttribute("role", "rowgroup")
  }
  const fixRows = rows => {
    if (rows.getAttribute("role") !== "presentation") rows.setAttribute("role", "presentation")
    // Columns that Tabulator folds under a row on a phone.
    for (const more of rows.querySelectorAll(".tabulator-responsive-collapse:not([role])")) {
      more.setAttribute("role", "gridcell")
    }
    // aria-checked isn't allowed on a cell: replace it by a label.
    for (const cell of rows.querySelectorAll("[role=gridcell][aria-checked]")) {
      cell.setAttribute("aria-label", cell.getAttribute("aria-checked") === "true" ? "yes" : "no")
      cell.removeAttribute("aria-checked")
    }
  }
  const watchTable = root => {
    const fix = () => {
      for (const table of root.querySelectorAll(".tabulator")) {
        fixTable(table)
        for (const rows of table.querySelectorAll(".tabulator-table")) fixRows(rows)
      }
    }
    new MutationObserver(fix).observe(
      root, {childList: true, subtree: true, attributeFilter: ["aria-checked", "role"]})
    fix()
  }

  // A panel that slides over the page is a dialog without a name; it gets the focus when it opens.
  addEventListener("focusin", event => {
    for (const node of event.composedPath()) {
      if (node.getAttribute?.("role") !== "dialog" || node.hasAttribute("aria-labelledby")) continue
      if (!node.hasAttribute("aria-label")) {
        node.setAttribute("aria-label", node.querySelector("h1, h2, h3, h6")?.textContent || "Menu")
      }
    }
  })

  const attach = Element.prototype.attachShadow
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options)
    root.adoptedStyleSheets.push(sheet)
    // A widget has its class once it is drawn.
    const drawn = new MutationObserver(() => {
      if (!this.className) return
      drawn.disconnect()
      if (this.className.includes("DataTabulator")) watchTable(root)
    })
    drawn.observe(root, {childList: true})
    return root
  }
})()
"""
