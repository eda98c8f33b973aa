"""A site with a guard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.guard.site import Site


@pytest.fixture
def site(tmp_path: Path, need: Callable[[str], object]) -> Site:
    need("securesystemslib")
    return Site(tmp_path)
