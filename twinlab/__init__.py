"""twinlab: build, trust, explore and use a digital twin from JupyterLab.

>>> import twinlab as tl
>>> tl.model.canonical_unit("deg. F")
'degF'
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    # For type checkers and editors; at run time each name is loaded on first use, so that the import is fast.
    from twinlab import (
        apps,
        errors,
        events,
        explore,
        harmonise,
        history,
        learn,
        ledger,
        model,
        predict,
        quality,
        simulate,
        sources,
        testing,
    )
    from twinlab.demos import demo
    from twinlab.errors import (
        CommandExpiredError,
        CommandRejectedError,
        ControlError,
        CorruptionError,
        HistoryConflictError,
        SchemaError,
        SourceError,
        TwinlabError,
        UnitError,
        UnknownTermError,
    )
    from twinlab.model.flags import Flag
    from twinlab.model.glossary.lookup import glossary
    from twinlab.pilots.pilot import open_pilot as pilot
    from twinlab.twin.facade import Twin
    from twinlab.twin.folder import create
    from twinlab.twin.folder import open_twin as open  # noqa: A004  (the public name, as in gzip.open)
    from twinlab.twin.report import IngestReport

__version__ = "0.1.0"

__all__ = [
    "CommandExpiredError",
    "CommandRejectedError",
    "ControlError",
    "CorruptionError",
    "Flag",
    "HistoryConflictError",
    "IngestReport",
    "SchemaError",
    "SourceError",
    "Twin",
    "TwinlabError",
    "UnitError",
    "UnknownTermError",
    "apps",
    "create",
    "demo",
    "errors",
    "events",
    "explore",
    "glossary",
    "harmonise",
    "history",
    "learn",
    "ledger",
    "model",
    "open",
    "pilot",
    "predict",
    "quality",
    "simulate",
    "sources",
    "testing",
]

# Public name -> the module that defines it.
_HOMES = {
    "Flag": "twinlab.model.flags",
    "IngestReport": "twinlab.twin",
    "Twin": "twinlab.twin",
    "create": "twinlab.twin",
    "demo": "twinlab.demos",
    "glossary": "twinlab.model.glossary.lookup",
    "open": "twinlab.twin",
    "pilot": "twinlab.pilots",
}
_CALLED_THERE = {"open": "open_twin", "pilot": "open_pilot"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        msg = f"module 'twinlab' has no attribute {name!r}"
        raise AttributeError(msg)
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), _CALLED_THERE.get(name, name))
    if name.endswith("Error"):
        return getattr(importlib.import_module("twinlab.errors"), name)
    return importlib.import_module(f"twinlab.{name}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """Add the magics ``%twin``, ``%%find`` and ``%ask``; IPython calls it at ``%load_ext twinlab``."""
    from twinlab.jupyter.magics import TwinMagics  # noqa: PLC0415  (needs IPython)

    # Panel, if it isn't loaded yet, then embeds its scripts in the notebook instead of loading them from a CDN.
    os.environ.setdefault("PANEL_INLINE", "1")
    ipython.register_magics(TwinMagics)


def _refuse_namesake() -> None:
    """Raise ImportError if PyPI's other ``twinlab`` is installed: both projects overwrite each other's files."""
    for entry in sys.path:
        # By folder name, because loading importlib.metadata takes a tenth of the time of the whole import.
        for found in Path(entry or ".").glob("twinlab-*.dist-info"):
            msg = (
                f"expected twinlab-kit alone, found another project's distribution too: {found.name} in {found.parent}. "
                "Both use the import name 'twinlab' and overwrite each other. Remove the other one and put this one back: "
                "pip uninstall --yes twinlab twinlab-kit, then install twinlab-kit again"
            )
            raise ImportError(msg)


_refuse_namesake()
