"""``twinlab backup, backups, restore``: another copy of a twin, and a twin again from it."""

from __future__ import annotations

from pathlib import Path

import click

from twinlab._click import Command, Several
from twinlab.cli.commands import group, open_twin, path_option, say, twin_folder

__all__: list[str] = []


@group.command(
    "backup", cls=Command, after="pull",
    example="twinlab backup pilot/ /mnt/backups/pilot --keep 24n,7d,4w,12m\ntwinlab backup pilot/ s3://backups/pilot --also users.json",
)  # fmt: skip
@twin_folder
@click.argument("place", help="A folder, best on another machine's disk, or s3://bucket/prefix.")
@click.option(
    "--keep", metavar="SCHEDULE",
    help="Which backups stay: 24n,7d,4w,12m is the last 24, and one for each of 7 days, 4 weeks, 12 months (default: all).",
)  # fmt: skip
@path_option("--also", cls=Several, metavar="FILE...", help="Files from outside of the folder, such as the users file.")
@click.option("--with-keys", is_flag=True, help="Include private keys of those who sign; keys of people never are.")
def _backup(folder: Path, place: str, *, keep: str | None, also: tuple[Path, ...], with_keys: bool) -> None:
    """Back a twin up while it runs; only what isn't there yet is sent."""
    say(str(open_twin(folder).backup(place, keep=keep, also=also, with_keys=with_keys)))


@group.command(
    "backups", cls=Command, after="backup", example="twinlab backups /mnt/backups/pilot\ntwinlab backups s3://backups/pilot --verify",
)  # fmt: skip
@click.argument("place", help="A folder with backups, or s3://bucket/prefix.")
@click.option("--verify", is_flag=True, help="Read every byte again; 1 if something is damaged.")
def _backups(place: str, *, verify: bool) -> int:
    """List the backups of a twin, or check them."""
    from twinlab.twin import backups, check_backups  # noqa: PLC0415  (loads the rooms)

    say(str(backups(place)))
    if not verify:
        return 0
    found = check_backups(place)
    say(str(found))
    return 0 if found.ok else 1


@group.command(
    "restore", cls=Command, after="backups",
    example="twinlab restore /mnt/backups/pilot again/\ntwinlab restore s3://backups/pilot again/ --at 2026-03-01T12:00",
)  # fmt: skip
@click.argument("place", help="A folder with backups, or s3://bucket/prefix.")
@path_option("folder", help="A folder that isn't there, or is empty; nothing is overwritten.")
@click.option("--at", metavar="TIME", help="The newest backup that isn't later, UTC (default: the newest).")
@click.option("--number", type=int, metavar="N", help="A backup by its number instead.")
def _restore(place: str, folder: Path, *, at: str | None, number: int | None) -> None:
    """Bring a backup into a new folder, checked by SHA-256 and by the ledger's checksums."""
    from twinlab.twin import restore  # noqa: PLC0415  (loads the rooms)

    say(str(restore(place, folder, at=at, number=number)))
