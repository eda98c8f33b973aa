"""A small twin whose catalogues are in files, in SQLite or in PostgreSQL."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import pytest

import twinlab as tl
from twinlab.cli import main

__all__ = ["state"]


def state(folder: Path, url: str | None) -> None:
    """Write ``storage.catalogues`` into twin.yaml, or remove it."""
    path = folder / "twin.yaml"
    lines = [line for line in path.read_text().splitlines() if "catalogues:" not in line]
    if url is not None:
        lines.append(f'storage: {{catalogues: "{url}"}}')
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a twin with two hours of one room."""
    folder = tmp_path_factory.mktemp("template")
    rows = "".join(f"2026-01-01T{n // 60:02d}:{n % 60:02d}Z,4.5\n" for n in range(120))
    (folder / "gauge.csv").write_text("time,level (m)\n" + rows)
    tl.create(folder / "pilot", files=[folder / "gauge.csv"]).ingest(folder / "gauge.csv")
    return folder / "pilot"


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder, of a twin with a name of its own."""
    made = tmp_path / "pilot"
    shutil.copytree(template, made)
    text = (made / "twin.yaml").read_text()
    name = f"t{uuid.uuid4().hex[:12]}"
    (made / "twin.yaml").write_text(text.replace("twin: pilot", f"twin: {name}", 1))
    tl.open(made).rebuild()
    return made


@pytest.fixture
def shared(folder: Path, catalogue_url: str | None) -> Path:
    """Return the folder of a twin whose catalogues are in files or in a database."""
    if catalogue_url is not None:
        state(folder, catalogue_url)
        assert main(["catalogues", str(folder), "--move", "database"]) == 0
    return folder
