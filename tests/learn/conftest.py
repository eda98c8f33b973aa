"""A configuration folder of its own for each test: progress is a file of the reader."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TWINLAB_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"
