// What can be scrolled sideways can be reached with the keyboard.
addEventListener("DOMContentLoaded", () => {
  for (const each of document.querySelectorAll("pre, .table-wrapper")) each.tabIndex = 0;
});
