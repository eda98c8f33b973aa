"""Options that state how large a simulated parcel network is, and whether assets fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["network_sizes"]

F = TypeVar("F", bound=Callable[..., Any])

#: Options of commands that simulate a parcel network, with what each counts.
_SIZES = {
    "weeks": "weeks (default: 13)", "parcels": "parcels a week (default: 20,000)", "trucks": "trucks (default: 150)",
    "rooms": "cold rooms (default: 40)", "forklifts": "forklifts (default: 60)", "hubs": "hubs (default: 12)",
    "seed": "another seed gives another network (default: 1)",
}  # fmt: skip


def network_sizes(of: str = "") -> Callable[[F], F]:
    """Return the decorator that adds the options that state how large a parcel network is, and ``--failures``."""
    failures = f"{of}failures with precursors, delays with causes, maintenance logs."

    def added(command: F) -> F:
        command = click.option("--failures", is_flag=True, help=failures)(command)
        for name, text in reversed(_SIZES.items()):
            command = click.option(f"--{name}", type=int, metavar="N", help=f"{of}{text}.")(command)
        return command

    return added
