"""What this machine has: cores, memory, disk."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from twinlab._cores import cores

__all__ = ["Machine"]


@dataclass(frozen=True)
class Machine:
    """A machine that a twin runs on."""

    cores: int
    memory: float
    """Bytes; 0 where that isn't known."""
    disk: float
    """Bytes that the twin has or could have: what is free, and what it uses already."""

    @classmethod
    def of(cls, folder: Path, used: float) -> Machine:
        """Return this machine, with the disk of a twin's folder that uses some bytes."""
        try:
            memory = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
        except (AttributeError, ValueError, OSError):
            memory = 0.0  # Windows
        return cls(cores(), memory, shutil.disk_usage(folder).free + used)
