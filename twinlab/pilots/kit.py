"""The kit of a pilot: its settings, two files to fill in, a checklist and a notebook, drafted from the twin."""

from __future__ import annotations

import json
import os
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import SchemaError, SourceError
from twinlab.model.load import parse_as
from twinlab.model.yamltext import write_yaml
from twinlab.pilots.entered import COMPLAINT_COLUMNS, COMPLAINTS, MEASUREMENT_COLUMNS, MEASUREMENTS
from twinlab.pilots.plan import checklist_text, notebook_cells
from twinlab.pilots.settings import FILE_NAME, PilotSettings

if TYPE_CHECKING:
    from twinlab.twin import Twin

__all__ = ["CHECKLIST", "NOTEBOOK", "start_pilot"]

CHECKLIST, NOTEBOOK = "checklist.md", "pilot.ipynb"
#: Two weeks before and two weeks of the pilot.
_DAYS = 14
_ASIDE = "# Settings of a pilot. What is empty is for you to fill in; checklist.md says when.\n"


def start_pilot(folder: Path, twin: str | Path, *, start: str | None = None, zone: str = "UTC") -> list[Path]:
    """Write a pilot's files into a folder, drafted from its twin; a file that exists stays as it is.

    Parameters
    ----------
    folder : Path
        Made if it isn't there.
    twin : str or Path
        Folder or address of the twin.
    start : str, optional
        First day of the pilot; the baseline is measured in the two weeks before. By default the first Monday for which these are still to
        come.
    zone : str
        Time zone of all days and times that people enter.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    SourceError
        If there is no twin, or nothing can be written.
    SchemaError
        If the day or the zone is none.
    """
    from twinlab.twin import open_twin  # noqa: PLC0415  (the text of --help needs no twin)

    opened = open_twin(twin)
    text = _ASIDE + write_yaml(_settings(opened, _named(folder, twin), start, zone))
    settings = parse_as(PilotSettings, text, FILE_NAME, first="twin:")
    texts = {
        FILE_NAME: text,
        MEASUREMENTS: ",".join(MEASUREMENT_COLUMNS) + "\n",
        COMPLAINTS: ",".join(COMPLAINT_COLUMNS) + "\n",
        CHECKLIST: checklist_text(settings, folder),
        NOTEBOOK: _notebook(notebook_cells(settings)),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [path for name, content in texts.items() if (path := _write_new(folder / name, content)) is not None]
    except OSError as error:
        msg = f"the pilot can't be written to {folder} ({error.strerror or error}); name another folder"
        raise SourceError(msg) from error


def _write_new(path: Path, text: str) -> Path | None:
    """Write a file unless it exists."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return None
    return path


def _named(folder: Path, twin: str | Path) -> str:
    """Return how ``pilot.yaml`` names the twin: relative to the pilot's folder where that is possible."""
    if "://" in str(twin):
        return str(twin)
    try:
        return Path(os.path.relpath(Path(twin).resolve(), folder.resolve())).as_posix()
    except ValueError:
        # On Windows: another drive.
        return str(Path(twin).resolve())


def _settings(twin: Twin, named: str, start: str | None, zone: str) -> dict[str, object]:
    first = _first_day(start)
    last = first + timedelta(days=_DAYS - 1)
    model = twin.model
    asked = list(twin.ask("?").suggestions)[:3]
    questions: list[dict[str, str]] = [{"question": one, "ask": one, "decides": ""} for one in asked]
    questions = questions or [{"question": "…", "decides": ""}]
    search = next((name for name, spec in model.event_types.items() if spec.asset in model.asset_types), None)
    looked_for = model.event_types[search].asset if search is not None else next(iter(model.asset_types), None)
    return {
        "twin": named,
        "title": model.title or model.twin,
        "zone": zone,
        "before": {"first": str(first - timedelta(days=_DAYS)), "last": str(first - timedelta(days=1))},
        "during": {"first": str(first), "last": str(last)},
        "questions": questions,
        "people": dict.fromkeys(("sponsor", "dispatcher", "steward", "it_engineer"), ""),
        "files": sorted(twin.mappings),
        **({"search": looked_for} if looked_for is not None else {}),
        "alarm_window": "1d",
        "aims": {"time_to_find": "60s", "found_first": 0.5, "false_alarms": 0.2, "cleaning_time": "15min"},
    }


def _first_day(start: str | None) -> date:
    if start is None:
        today = date.fromisoformat(time.strftime("%Y-%m-%d", time.gmtime()))
        free = today + timedelta(days=_DAYS + 1)
        return free + timedelta(days=-free.weekday() % 7)
    try:
        return date.fromisoformat(start)
    except ValueError:
        msg = f"expected the first day of the pilot such as 2026-03-02, got {start!r}"
        raise SchemaError(msg) from None


def _notebook(cells: list[tuple[str, str]]) -> str:
    body: list[dict[str, object]] = [
        {"cell_type": kind, "id": f"pilot-{place:02d}", "metadata": {}, "source": text.splitlines(keepends=True)}
        | ({"execution_count": None, "outputs": []} if kind == "code" else {})
        for place, (kind, text) in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {"cells": body, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
