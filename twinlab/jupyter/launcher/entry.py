"""What jupyter-server-proxy reads: the command of the server, its secret, the card and its icon."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

__all__ = ["SECRET_HEADER", "SECRET_VARIABLE", "TWINS_VARIABLE", "launcher_entry"]

#: Header that Jupyter adds to each request, and the variable in which the server finds its value.
SECRET_HEADER, SECRET_VARIABLE = "X-Twinlab-Launcher", "TWINLAB_LAUNCHER_SECRET"
#: Variable with folders of twins that are listed beside those in Jupyter's own folder, separated as in PATH.
TWINS_VARIABLE = "TWINLAB_TWINS"
#: Seconds that a busy machine may take to start the server.
_START_SECONDS = 60


def launcher_entry() -> dict[str, Any]:
    """Return the settings of the server for jupyter-server-proxy (entry point ``jupyter_serverproxy_servers``).

    The secret is made anew at each start of Jupyter. Without it another user of the same machine could ask the server's port.
    """
    # In hexadecimal, because jupyter-server-proxy reads braces as placeholders.
    secret = secrets.token_hex(32)
    return {
        "command": _command,
        "environment": {SECRET_VARIABLE: secret},
        "request_headers_override": {SECRET_HEADER: secret},
        "timeout": _START_SECONDS,
        "launcher_entry": {
            "title": "Digital twins",
            "icon_path": str(Path(__file__).with_name("icon.svg")),
            # JupyterLab shows icons of other packages under "Notebook" and "Console" only.
            "category": "Notebook",
        },
    }


def _command(port: int) -> list[str]:
    """Return the command that starts the server; called at the first request, when Jupyter knows its folder."""
    root = str(_jupyter_folder()).replace("{", "{{").replace("}", "}}")
    return [sys.executable, "-m", "twinlab.jupyter.launcher", "--port", str(port), "--root", root]


def _jupyter_folder() -> Path:
    """Return the folder that this Jupyter server shows."""
    from jupyter_server.serverapp import ServerApp  # noqa: PLC0415  (this runs inside of Jupyter)

    return Path(ServerApp.instance().root_dir if ServerApp.initialized() else Path.cwd())
