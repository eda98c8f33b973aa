"""Script that gives other people's widgets the names and roles that screen readers need."""

from __future__ import annotations

__all__ = ["MENDING"]

#: Defines ``mend()``. Widgets stand in shadow roots of their own and come at any time, so they're looked for again and
#: again; what is mended isn't touched twice.
MENDING = """
const mended = new WeakSet()
// Panel makes a column as wide as its widest row would be without wrapping: on a phone, wider than the screen.
const COLUMNS = ["bk-panel-models-layout-Column", "bk-Column", "bk-Row"]

// Tabulator counts its page buttons among the rows of its grid: the grid is made to hold header and rows alone.
const mendTable = table => {
  const header = table.querySelector(":scope > .tabulator-header")
  const holder = table.querySelector(":scope > .tabulator-tableholder")
  const rows = holder?.querySelector(":scope > .tabulator-table")
  if (!header || !rows) return false
  const grid = document.createElement("div")
  grid.setAttribute("role", "grid")
  grid.style.display = "contents"
  grid.setAttribute("aria-label", table.getAttribute("aria-label") || "Table")
  table.insertBefore(grid, header)
  grid.append(header, holder)
  table.removeAttribute("role")
  table.removeAttribute("aria-owns")
  holder.setAttribute("role", "rowgroup")
  rows.setAttribute("role", "presentation")
  const ticks = () => {
    for (const more of rows.querySelectorAll(".tabulator-responsive-collapse:not([role])")) more.setAttribute("role", "gridcell")
    // A cell can't be checked; what its tick says is said in words.
    for (const cell of rows.querySelectorAll("[role=gridcell][aria-checked]")) {
      cell.setAttribute("aria-label", cell.getAttribute("aria-checked") === "true" ? "yes" : "no")
      cell.removeAttribute("aria-checked")
    }
    if (rows.hasAttribute("role") && rows.getAttribute("role") !== "presentation") rows.setAttribute("role", "presentation")
  }
  ticks()
  new MutationObserver(ticks).observe(rows, {childList: true, subtree: true, attributeFilter: ["aria-checked", "role"]})
  return true
}

const mend = root => {
  for (const one of root.querySelectorAll("*")) {
    if (one.shadowRoot) mend(one.shadowRoot)
    if (mended.has(one)) continue
    if (one.classList.contains("tabulator")) {
      if (mendTable(one)) mended.add(one)
    } else if (COLUMNS.some(name => one.classList.contains(name))) {
      one.style.minWidth = "0"
      mended.add(one)
    } else if (one.localName === "span" && one.hasAttribute("aria-label") && !one.hasAttribute("role")) {
      one.setAttribute("role", "img")
      mended.add(one)
    }
  }
}
"""
