"""Script that mends what other people's widgets do wrong for phones and screen readers."""

from __future__ import annotations

__all__ = ["MENDING"]

#: Stands in the page's head, before any widget. Each widget lives in a shadow root of its own, where the page's styles
#: and observers don't reach: whenever one is made, it gets a style sheet, and a table's is watched. Nothing is polled.
MENDING = """
(() => {
  // Panel makes a column as wide as its widest row would be without wrapping: on a phone, wider than the screen.
  const sheet = new CSSStyleSheet()
  sheet.replaceSync(
    ":host(.bk-panel-models-layout-Column), :host(.bk-Column), :host(.bk-Row) {min-width: 0 !important}")

  // Tabulator counts its page buttons among the rows of its grid: the grid is made to hold header and rows alone.
  const mendTable = table => {
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
  const mendRows = rows => {
    if (rows.getAttribute("role") !== "presentation") rows.setAttribute("role", "presentation")
    // What is folded under a row on a phone.
    for (const more of rows.querySelectorAll(".tabulator-responsive-collapse:not([role])")) {
      more.setAttribute("role", "gridcell")
    }
    // A cell can't be checked; what its tick says is said in words.
    for (const cell of rows.querySelectorAll("[role=gridcell][aria-checked]")) {
      cell.setAttribute("aria-label", cell.getAttribute("aria-checked") === "true" ? "yes" : "no")
      cell.removeAttribute("aria-checked")
    }
  }
  const watchTable = root => {
    const mend = () => {
      for (const table of root.querySelectorAll(".tabulator")) {
        mendTable(table)
        for (const rows of table.querySelectorAll(".tabulator-table")) mendRows(rows)
      }
    }
    new MutationObserver(mend).observe(
      root, {childList: true, subtree: true, attributeFilter: ["aria-checked", "role"]})
    mend()
  }

  const attach = Element.prototype.attachShadow
  Element.prototype.attachShadow = function (options) {
    const root = attach.call(this, options)
    root.adoptedStyleSheets.push(sheet)
    // What a widget is, its class says once it's drawn.
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
