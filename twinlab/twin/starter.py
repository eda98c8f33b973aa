"""A notebook to start from, with the names of the twin's model in cells that run unchanged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import SourceError

if TYPE_CHECKING:
    from twinlab.twin.facade import Twin

__all__ = ["starter_cells", "write_starter"]


def write_starter(twin: Twin, target: Path | None = None) -> Path:
    """Write a starter notebook for a twin; an existing file is never overwritten.

    Parameters
    ----------
    twin : Twin
        What the notebook opens.
    target : Path, optional
        The notebook, or a folder for it; by default ``<twin's name>.ipynb`` beside the twin's folder. If the file
        exists, a number is added.

    Returns
    -------
    Path
        The notebook that was written.

    Raises
    ------
    SourceError
        If it can't be written there.
    """
    wanted = twin.folder.resolve().parent if target is None else target
    if wanted.suffix != ".ipynb":
        wanted = wanted / f"{twin.model.twin}.ipynb"
    cells: list[dict[str, object]] = [
        {"cell_type": kind, "id": f"start-{place:02d}", "metadata": {}, "source": text.splitlines(keepends=True)}
        | ({"execution_count": None, "outputs": []} if kind == "code" else {})
        for place, (kind, text) in enumerate(starter_cells(twin))
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    body = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    text = json.dumps(body, indent=1, ensure_ascii=False) + "\n"
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        return _write_new(wanted, text)
    except OSError as error:
        msg = f"no notebook can be written to {wanted.parent} ({error.strerror or error}); name another place with --to"
        raise SourceError(msg) from error


def _write_new(wanted: Path, text: str) -> Path:
    path, number = wanted, 1
    while True:
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            number += 1
            path = wanted.with_stem(f"{wanted.stem}-{number}")
        else:
            return path


def starter_cells(twin: Twin) -> list[tuple[str, str]]:
    """Return (kind, text) of the cells: open, look, history, events, explorer, take data out."""
    model = twin.model
    cells = [
        (
            "markdown",
            f"# {model.title or model.twin}\n\nA place to start: run the cells in order (Shift+Enter), then change them.",
        ),
        # Without it Panel loads its scripts from a CDN in JupyterLab, and shows nothing without a network.
        ("code", f"import panel as pn\n\npn.extension(inline=True)\n{twin.open_code}\ntwin"),
    ]
    measured = [name for name, spec in model.asset_types.items() if spec.signals]
    for name in measured[:1]:
        cells += _history_cells(twin, name)
    for name in list(model.event_types)[:1]:
        cells += [
            ("markdown", f"## What happened\n\nThe events of type `{name}`, planned and actual times in UTC."),
            ("code", f"events = twin.events({name!r})\nevents.tail()"),
        ]
    cells += [
        ("markdown", "## Look around\n\nThe same explorer as in the served page: `twinlab serve` opens that."),
        ("code", "explorer = twin.explore()\nexplorer"),
        ("code", "print(explorer.code())  # what is shown, as Python"),
    ]
    return cells


def _history_cells(twin: Twin, asset_type: str) -> list[tuple[str, str]]:
    spec = twin.model.asset_types[asset_type]
    signal = next((name for name, one in spec.signals.items() if one.kind == "gauge"), next(iter(spec.signals)))
    steps = twin.steps(asset_type, signal)
    step = next((step for step in ("1h", "4h", "1d") if step in steps), steps[-1] if steps else None)
    named = ", ".join(f"`{name}`" for name in spec.signals)
    text = f"`{asset_type}` has {named}. The Dataset is lazy: nothing is read before it's needed."
    cells = [
        ("markdown", f"## What was measured\n\n{text}"),
        ("code", f"data = twin.history({asset_type!r}, signals=[{signal!r}])\ndata"),
    ]
    if spec.signals[signal].kind == "gauge" and step is not None:
        reading = f"rollup = twin.history({asset_type!r}, signals=[{signal!r}], step={step!r})"
        table = f"rollup.{signal}_mean.isel(asset=slice(6)).to_pandas().describe().round(2)"
        cells.append(("code", f"{reading}\n{table}"))
    cells.append(("code", f'# twin.export({asset_type!r}, "{asset_type}.parquet", signals=[{signal!r}])'))
    return cells
