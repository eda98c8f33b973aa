"""States of models as Datasets: saved, loaded, forked.

In: a state of any model. Out: the same on disk, or a copy with other random numbers.
Read in order: `files`, `forks`.
Never: a state that changes when it is saved and loaded.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(__name__, {"fork": "forks", "load_state": "files", "save_state": "files"})
