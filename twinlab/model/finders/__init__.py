"""Finders of ``twin.yaml``: conditions whose events are kept up to date with the history.

In: ``events:`` of ``twin.yaml``. Out: frozen objects.
Read in order: `finder`, `names`.
Never: data read.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(__name__, {"Finder": "finder"})
