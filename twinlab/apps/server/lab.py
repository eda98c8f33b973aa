"""Start JupyterLab on one notebook, on this machine only and without requests to other hosts."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from twinlab.errors import SourceError

__all__ = ["lab_command", "open_lab"]


def lab_command(notebook: Path, *, port: int = 0, browser: bool = True) -> list[str]:
    """Return the command that opens a notebook in JupyterLab; port 0 takes a free one.

    Raises
    ------
    SourceError
        If JupyterLab isn't installed.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        msg = f'JupyterLab isn\'t installed: pip install "twinlab-kit[notebook]"; the notebook is {notebook}'
        raise SourceError(msg)
    settings = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.open_browser={browser}",
        f"--ServerApp.root_dir={notebook.resolve().parent}",
        # The printed address opens the notebook, also if no browser is started.
        f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}",
        # News and updates would be fetched from the network.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Containers often run as root, which JupyterLab refuses by default.
        settings.append("--ServerApp.allow_root=True")
    return [sys.executable, "-m", "jupyterlab", *settings]


def open_lab(notebook: Path, *, port: int = 0, browser: bool = True) -> int:
    """Run JupyterLab on a notebook until it is stopped, and return its exit code.

    Raises
    ------
    SourceError
        If JupyterLab isn't installed.
    """
    command = lab_command(notebook, port=port, browser=browser)
    # Panel then embeds its scripts in the notebook instead of loading them from a CDN.
    environment = {**os.environ, "PANEL_INLINE": "1"}
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603  (our own command)
