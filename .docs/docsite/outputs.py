"""Outputs of notebooks, as the tests of the notebooks produced them, put into the staged copies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: What a page of text and pictures can show, the best form first.
SHOWN = ("image/png", "image/svg+xml", "text/html", "text/markdown", "text/plain")
#: A larger output would make its page slow.
MAX_BYTES = 300_000
INTERACTIVE = "*Interactive: open the notebook in JupyterLab to use it.*"
HOW = """```{{note}}
{what} `twinlab tutorials learn/` copies all notebooks to a folder, `jupyter lab learn/` opens them.
```"""
WITH_OUTPUTS = "Outputs are those of the tests, which run every cell."
WITHOUT_OUTPUTS = "This site was built without running the notebooks, so that it shows no outputs."

Output = dict[str, Any]


def shown_output(output: Output) -> Output | None:
    """Return an output as a page shows it, without scripts; None for what isn't shown.

    >>> shown_output({"output_type": "stream", "name": "stderr", "text": "busy"})
    >>> shown_output({"output_type": "execute_result", "data": {"text/plain": "1"}})["data"]
    {'text/plain': '1'}
    """
    if output["output_type"] == "stream":
        return {**output, "text": output["text"][:MAX_BYTES]} if output["name"] == "stdout" else None
    if output["output_type"] == "error":
        return output
    data = {mime: "".join(value) for mime, value in output["data"].items() if mime in SHOWN}
    scripted = "<script" in data.get("text/html", "") or any(
        "bokeh" in mime or "holoviews" in mime or "widget" in mime for mime in output["data"]
    )
    if scripted:
        data = {mime: data[mime] for mime in ("image/png", "image/svg+xml") if mime in data} or {
            "text/markdown": INTERACTIVE
        }
    if not data and any("javascript" in mime for mime in output["data"]):
        return None
    mime = next((each for each in SHOWN if each in data and len(data[each]) <= MAX_BYTES), None)
    if mime is None:
        return None
    return {"output_type": "display_data", "metadata": {}, "data": {mime: data[mime]}}


def fill(notebook: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    """Return a notebook with the outputs of a run and a note on how to open it.

    Parameters
    ----------
    notebook : dict
        As in its file.
    folder : Path, optional
        ``<number of the code cell>.json`` for each cell that ran, as `docsite.pytest_outputs` writes them. None, or a folder
        that isn't there: cells keep what they have.
    """
    ran = folder is not None and folder.is_dir()
    cells, number = [], 0
    for cell in notebook["cells"]:
        made = dict(cell)
        if cell["cell_type"] == "code":
            stored = folder / f"{number}.json" if ran and folder is not None else None
            if stored is not None and stored.is_file():
                made["outputs"] = json.loads(stored.read_text(encoding="utf-8"))
            made["outputs"] = [one for one in map(shown_output, made["outputs"]) if one is not None]
            number += 1
        cells.append(made)
    note = {
        "id": "how-to-run",
        "cell_type": "markdown",
        "metadata": {},
        "source": HOW.format(what=WITH_OUTPUTS if ran else WITHOUT_OUTPUTS),
    }
    return {**notebook, "cells": [cells[0], note, *cells[1:]]}
