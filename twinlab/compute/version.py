"""Which twinlab this process has: its version and its code, since a version in development stays the same for months."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from pathlib import Path

__all__ = ["package_version"]


@cache
def package_version() -> str:
    """Return version and a hash of all modules, such as ``"0.1.0 (code 3f2a9c41)"``; reading them takes 50 ms, once."""
    root = Path(__file__).parents[1]
    found = hashlib.blake2b(digest_size=4)
    for path in sorted(root.rglob("*.py")):
        found.update(path.relative_to(root).as_posix().encode())
        found.update(path.read_bytes())
    return f"{sys.modules['twinlab'].__version__} (code {found.hexdigest()})"
