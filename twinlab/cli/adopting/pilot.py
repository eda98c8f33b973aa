"""``twinlab pilot``: start a pilot, see where it is, note its baseline, write its report."""

from __future__ import annotations

from pathlib import Path

import click

from twinlab._click import Command
from twinlab.cli.commands import group, path_option, say

__all__: list[str] = []


@group.command(
    "pilot", cls=Command, after="generate",
    example="twinlab pilot trial/ --twin cold-chain/ --start 2026-03-16 --zone Europe/Berlin\ntwinlab pilot trial/ --baseline\n"
    "twinlab pilot trial/ --report report.html",
)  # fmt: skip
@path_option("folder", help="Folder of the pilot; with --twin it is made.")
@click.option("--twin", metavar="TWIN", help="Write the pilot's files, drafted from this twin.")
@click.option(
    "--start", metavar="DAY", help="With --twin: first day of the pilot; the baseline is of the two weeks before."
)
@click.option("--zone", metavar="ZONE", help="With --twin: time zone of what people enter (default: UTC).")
@click.option("--baseline", is_flag=True, help="Note the baseline in the twin's journal.")
@path_option("--report", metavar="FILE", help="Write the report for the steering committee, HTML.")
def _pilot(
    folder: Path, *, twin: str | None, start: str | None, zone: str | None, baseline: bool, report: Path | None
) -> None:
    """Plan a pilot of two weeks, compare before and during, report."""
    from twinlab.pilots import open_pilot, start_pilot  # noqa: PLC0415  (each command loads its rooms only)

    if twin is None and (start or zone):
        msg = f"--{'start' if start else 'zone'} belongs to --twin."
        raise click.UsageError(msg)
    if twin is not None:
        written = start_pilot(folder, twin, start=start, zone=zone or "UTC")
        say(
            "\n".join(
                ["wrote", *(f"  {path}" for path in written)] if written else ["nothing to write: all files are there"]
            )
        )
    pilot = open_pilot(folder)
    if baseline:
        pilot.note_baseline()
    if report is not None:
        say(f"wrote {pilot.report(report)}")
    else:
        say(str(pilot))
