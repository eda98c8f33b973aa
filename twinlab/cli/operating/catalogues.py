"""``twinlab catalogues``: where journal, logins and plans are, and moves between files and a database."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from twinlab._click import Command
from twinlab.cli.commands import group, say, twin_folder

__all__: list[str] = []


@group.command(
    "catalogues", cls=Command, after="restore",
    example="twinlab catalogues pilot/\ntwinlab catalogues pilot/ --move database",
)  # fmt: skip
@twin_folder
@click.option(
    "--move",
    type=click.Choice(["database", "files"]),
    help="Move them to the database of storage.catalogues in twin.yaml, or back; each row is compared afterwards.",
)
def _catalogues(folder: Path, *, move: Literal["database", "files"] | None) -> int:
    """Show where journal, logins and plans are: in files, or in a database that several servers share; or move them."""
    from twinlab.twin.catalogues.moving import catalogue_states, move_catalogues  # noqa: PLC0415  (loads the rooms)

    if move is not None:
        for line in move_catalogues(folder, move):
            say(line)
        return 0
    states = catalogue_states(folder)
    for one in states:
        say(str(one))
    return 0 if all(one.moved for one in states) else 1
