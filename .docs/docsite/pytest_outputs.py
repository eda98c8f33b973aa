"""A plugin of pytest that stores the outputs of notebooks' cells, as nbval ran them: ``pytest -p docsite.pytest_outputs``.

``TWINLAB_NOTEBOOK_OUTPUTS`` names the folder; `docsite.outputs.fill` reads it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Write ``<notebook>/<number of the code cell>.json``."""
    folder, outputs = os.environ.get("TWINLAB_NOTEBOOK_OUTPUTS"), getattr(item, "test_outputs", None)
    if folder and outputs is not None and item.path.suffix == ".ipynb":
        notebook = item.path.relative_to(item.config.rootpath / "notebooks").with_suffix("")
        place = Path(folder, notebook)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{item.cell_num}.json").write_text(json.dumps(outputs), encoding="utf-8")  # type: ignore[attr-defined]
