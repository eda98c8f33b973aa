"""A small twin that is backed up, and one with data about people."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import twinlab as tl

sys.path.insert(0, str(Path(__file__).parents[1]))
from privacy.conftest import Fleet, fleet, whole_fleet  # noqa: F401  (fixtures)
from remote.conftest import MAPPING, MODEL, network, place, server, write_day  # noqa: F401  (fixtures)


@pytest.fixture(scope="session")
def one_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a twin with a day of rows once."""
    root = tmp_path_factory.mktemp("cold")
    (root / "model.yaml").write_text(MODEL)
    (root / "log.yaml").write_text(MAPPING)
    tl.create(root / "cold", model=root / "model.yaml", mappings=root / "log.yaml").ingest(write_day(root, 0))
    return root / "cold"


@pytest.fixture
def twin(one_day: Path, tmp_path: Path) -> tl.Twin:
    """Return a copy of the twin with a day of rows."""
    return tl.open(shutil.copytree(one_day, tmp_path / "cold"))


@pytest.fixture
def grow(tmp_path: Path) -> Callable[[tl.Twin, int], None]:
    """Return a function that takes a day of rows into a twin."""
    return lambda twin, day: twin.ingest(write_day(tmp_path, day)) and None
