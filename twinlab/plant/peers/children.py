"""Programs of others that end with the plant, even if it is killed."""

from __future__ import annotations

import shutil
import signal

__all__ = ["bound_command"]


def bound_command(command: list[str], end: signal.Signals = signal.SIGTERM) -> list[str]:
    """Return a command whose program gets a signal when the plant's process ends, however it ends.

    It needs util-linux' ``setpriv``; without it the command is returned as it is, and a killed plant leaves the program running.
    The thread that starts the program must live as long as the plant, as those of asyncio's executor do.

    >>> bound_command(["mosquitto", "-v"])[-2:]
    ['mosquitto', '-v']
    """
    wrapper = shutil.which("setpriv")
    return command if wrapper is None else [wrapper, "--pdeathsig", end.name.removeprefix("SIG"), "--", *command]
