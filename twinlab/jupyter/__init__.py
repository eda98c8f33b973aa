"""NOTEBOOK: ``%load_ext twinlab``, and the card *Digital twins* in the launcher of JupyterLab.

In: lines and cells of a notebook; the folder of a Jupyter server. Out: twins, event tables and answers under names of the
notebook; a start page whose buttons open the pages of a twin and a starter notebook.
Read in order: `magics` (``%twin``, ``%%find``, ``%ask``), `find_cell` (what a cell asks for), `launcher` (the card and its server).
Never: a calculation of its own; each magic calls the twin. No request is answered that Jupyter hasn't let in.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__, {"FindCell": "find_cell", "TwinMagics": "magics", "parse_find_cell": "find_cell"}
)
