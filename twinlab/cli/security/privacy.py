"""``twinlab forget`` and ``twinlab privacy``: people in a twin, records of processing, retention, erasure."""

from __future__ import annotations

from pathlib import Path

import click

from twinlab._click import Command
from twinlab.cli.commands import group, open_twin, path_option, say, twin_folder
from twinlab.errors import SchemaError

__all__: list[str] = []


@group.command(
    "forget", cls=Command, after="privacy",
    example='twinlab forget pilot/ "Ann Archer"\ntwinlab forget pilot/ "Ann Archer" --who dora --also exports/ --yes',
)  # fmt: skip
@twin_folder
@click.argument("subject", help="Name of the person, as sources write it.")
@click.option("--who", metavar="NAME", default="local", help="Who erases, for the audit.")
@click.option(
    "--also", metavar="PATH", multiple=True, type=click.Path(exists=True), help="Search these files, too; repeat it."
)
@click.option("--yes", is_flag=True, help="Don't ask.")
def _forget(folder: Path, *, subject: str, who: str, also: tuple[str, ...], yes: bool) -> None:
    """Erase a person: destroy keys, make the history again, prove it."""
    twin = open_twin(folder)
    if not yes:
        click.confirm("Keys of this person are destroyed for ever, and the history is made again. Go on?", abort=True)
    report = twin.forget(subject, who=who, exports=also)
    say(str(report))
    if not report.ok:
        msg = "the person isn't erased everywhere: remove the files above, or release them again"
        raise SchemaError(msg)


@group.command(
    "privacy", cls=Command, after="pull",
    example="twinlab privacy pilot/ report --output records.md\ntwinlab privacy pilot/ people\ntwinlab privacy pilot/ retain",
)  # fmt: skip
@twin_folder
@click.argument(
    "what",
    type=click.Choice(["report", "people", "retain"]),
    help="Records of processing; names of people; destroy keys that are too old.",
)
@path_option("--output", metavar="FILE", help="Write the report there.")
def _privacy(folder: Path, *, what: str, output: Path | None) -> None:
    """Show the records of processing, list people, apply retention."""
    twin = open_twin(folder)
    if what == "people":
        for name in twin.people():
            say(name)
    elif what == "retain":
        gone = twin.apply_privacy_retention()
        say(f"keys destroyed: {', '.join(gone)}" if gone else "no key is too old")
    elif output is None:
        say(twin.privacy_report())
    else:
        output.write_text(twin.privacy_report(), encoding="utf-8")
        say(f"wrote {output}")
