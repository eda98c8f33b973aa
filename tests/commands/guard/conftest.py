"""A site with a guard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.commands.guard.site import Site


@pytest.fixture
def site(tmp_path: Path, need: Callable[[str], object]) -> Iterator[Site]:
    need("securesystemslib")
    found = Site(tmp_path)
    yield found
    found.close()
