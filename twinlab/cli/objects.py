"""``twinlab push, pull``: a twin in an object store."""

from __future__ import annotations

from pathlib import Path

import click

from twinlab._click import Command
from twinlab.cli.commands import group, open_twin, path_option, say, twin_folder

__all__: list[str] = []


@group.command(
    "push", cls=Command, after="export",
    example="twinlab push pilot/ s3://plant/pilot\ntwinlab serve s3://plant/pilot",
)  # fmt: skip
@twin_folder
@click.argument(
    "url",
    required=False,
    help="Where to: s3://bucket/prefix, gs:// or az:// (default: storage.objects.url of twin.yaml).",
)
def _push(folder: Path, *, url: str | None) -> None:
    """Publish a twin in an S3-compatible object store; only what isn't there yet is sent."""
    say(str(open_twin(folder).push(url)))


@group.command("pull", cls=Command, after="push", example="twinlab pull s3://plant/pilot copy/")
@click.argument("url", help="Where from: s3://bucket/prefix, gs:// or az://.")
@path_option("folder", help="A new folder, or one that was pulled before: then only what is new is fetched.")
def _pull(url: str, *, folder: Path) -> None:
    """Bring a twin from an object store into a folder, checked by checksums."""
    from twinlab.twin import pull  # noqa: PLC0415  (loads the rooms)

    say(str(pull(url, folder)))
