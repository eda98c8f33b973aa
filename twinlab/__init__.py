"""twinlab: build, trust, explore and use a digital twin from JupyterLab."""

from __future__ import annotations

__version__ = "0.1.0"
