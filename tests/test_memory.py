"""Freed memory is given back to the system."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pytest

from twinlab._memory import release_memory


def resident() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) >> 10
    return 0


def test_release_keeps_what_is_in_use():
    kept = pa.array(range(100_000))
    release_memory()
    assert kept.sum().as_py() == 99_999 * 50_000


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_freed_memory_of_arrow_is_given_back():
    parts = [pa.array([1.5] * 100) for _ in range(100_000)]
    large = resident()
    assert parts.pop().sum().as_py() == 150
    parts.clear()
    release_memory()
    # They took 80 MB or more.
    assert resident() < large - 40
