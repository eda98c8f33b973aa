"""Messages to systemd: ready, alive, stopping [1]_. They do nothing where no service manager listens.

References
----------
.. [1] systemd, sd_notify(3) and sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

__all__ = ["notify", "watchdog_seconds"]


def notify(state: str) -> bool:
    """Send a state such as ``READY=1`` to the service manager; return whether one listens.

    >>> os.environ.pop("NOTIFY_SOCKET", None) and None
    >>> notify("READY=1")
    False
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return False
    # An address that begins with "@" is in the abstract namespace.
    place = "\0" + address[1:] if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(place)
        sender.sendall(state.encode())
        return True
    return False


def watchdog_seconds() -> float | None:
    """Return how often the service manager wants to know that this process is alive: half its limit; None if it doesn't."""
    limit, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not limit.isdecimal() or (pid and pid != str(os.getpid())):
        return None
    return int(limit) / 1e6 / 2
