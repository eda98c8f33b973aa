"""``twinlab health``: whether a twin is well, by its exit code."""

from __future__ import annotations

from pathlib import Path

import click

from twinlab._click import Command
from twinlab.cli.commands import group, path_option, say

__all__: list[str] = []


@group.command(
    "health", cls=Command, after="status",
    example="twinlab health pilot/ --historian --backup-within 26h\ntwinlab health --port 9464",
)  # fmt: skip
@path_option("folder", required=False, help="Folder of the twin.")
@click.option("--historian", is_flag=True, help="Expect a historian (twinlab run) that runs.")
@click.option("--backup-within", metavar="TIME", help="Expect a backup that isn't older, such as 26h.")
@click.option(
    "--port", type=int, metavar="N", help="Instead of a folder: ask the process with --metrics N on this machine."
)
@click.option("--strict", is_flag=True, help="Warnings count as failures.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def _health(
    folder: Path | None, *, historian: bool, backup_within: str | None, port: int | None, strict: bool, as_json: bool
) -> int:
    """Say whether a twin is well; 0 if it is, 1 if not, for service managers and containers."""
    if (folder is None) == (port is None):
        msg = "expected either a folder or --port N."
        raise click.UsageError(msg)
    if folder is None:
        from twinlab.twin.health.endpoint import ask  # noqa: PLC0415  (each command loads its rooms only)

        assert port is not None
        ok, text = ask(port)
        say(text, error=not ok)
        return 0 if ok else 1
    from twinlab.events.reading import duration_ns  # noqa: PLC0415
    from twinlab.twin.health.checks import twin_health  # noqa: PLC0415

    within = None if backup_within is None else duration_ns(backup_within) / 1e9
    found = twin_health(folder, historian=historian, backup_within=within)
    say(found.to_json() if as_json else str(found))
    return 0 if found.ok(strict=strict) else 1
