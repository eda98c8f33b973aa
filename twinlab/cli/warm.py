"""``twinlab warm``: compile ahead what is compiled at its first use."""

from __future__ import annotations

from twinlab._click import Command
from twinlab.cli.commands import group, say

__all__: list[str] = []


@group.command("warm", cls=Command, after="demo", example="twinlab warm")
def _warm() -> None:
    """Compile the simulation, so that the first run is quick."""
    from twinlab.simulate.kernel.warming import warm  # noqa: PLC0415  (each command loads its rooms only)

    say(f"simulations are compiled ({warm():.0f} s)")
