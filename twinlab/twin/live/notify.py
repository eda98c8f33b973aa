"""Messages to systemd: ready, alive, stopping [1]_. They do nothing where no service manager listens.

References
----------
.. [1] systemd, sd_notify(3) and sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["alive", "notify", "watchdog_seconds"]


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


@contextmanager
def alive() -> Iterator[None]:
    """Report from a thread that this process is alive, while it does what takes long."""
    every, done = watchdog_seconds(), threading.Event()

    def report() -> None:
        while not done.is_set():
            notify("WATCHDOG=1")
            done.wait(every)

    thread = threading.Thread(target=report, name="watchdog", daemon=True)
    if every is not None:
        thread.start()
    try:
        yield
    finally:
        done.set()
        if every is not None:
            thread.join()
