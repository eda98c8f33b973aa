"""JupyterLab on one notebook, on this machine, without a request to anywhere else."""

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
        msg = f'JupyterLab isn\'t installed: pip install "twinlab-kit[notebook]"; the notebook stands in {notebook}'
        raise SourceError(msg)
    settings = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.open_browser={browser}",
        f"--ServerApp.root_dir={notebook.resolve().parent}",
        # Printed and opened with the notebook in it, also where no browser is started.
        f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}",
        # News and updates would be asked for on the net.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Containers have no other user; JupyterLab would refuse.
        settings.append("--ServerApp.allow_root=True")
    return [sys.executable, "-m", "jupyterlab", *settings]


def open_lab(notebook: Path, *, port: int = 0, browser: bool = True) -> int:
    """Run JupyterLab on a notebook until it's stopped; returns its exit code.

    Raises
    ------
    SourceError
        If JupyterLab isn't installed.
    """
    command = lab_command(notebook, port=port, browser=browser)
    # Panel then writes its scripts into the notebook instead of asking a CDN for them.
    environment = {**os.environ, "PANEL_INLINE": "1"}
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603  (our own command)
