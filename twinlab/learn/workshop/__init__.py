"""A small cold store that exercises change: three rooms, four days, with planted faults.

In: a folder. Out: a twin with an audit and keys in it. Read in order: `files` (what loggers and forklifts write, and which faults are
planted), `building` (the twin), `records` (its audit, with invented names of roles, not of people). Beside them are its ``twin.yaml`` and ``mapping/``.
Never: a fault that isn't in `files`.
"""

from __future__ import annotations

from twinlab.learn.workshop.building import build_workshop
from twinlab.learn.workshop.files import CELSIUS, CORRECTED, SCANS

__all__ = ["CELSIUS", "CORRECTED", "SCANS", "build_workshop"]
