"""``twinlab why``: what is behind a value, an event, an alert or a KPI."""

from __future__ import annotations

from pathlib import Path

import click

from twinlab._click import Command
from twinlab.cli.commands import group, open_twin, path_option, say, twin_folder

__all__: list[str] = []


@group.command(
    "why", cls=Command, after="alerts",
    example="twinlab why pilot/ room/B2 temperature --at 2026-03-05T08:15\n"
    "twinlab why pilot/ cold_chain --at 2026-03-05 --by hub --group north --svg why.svg",
)  # fmt: skip
@twin_folder
@click.argument("what", help="An asset or an event as type/id, a KPI, or the id of an alert.")
@click.argument("signal", required=False, help="Of the asset.")
@click.option("--at", metavar="TIME", help="An instant in the cell or window that is explained, UTC.")
@click.option(
    "--step", metavar="STEP", help="Explain the window of a rollup such as 1h; of a KPI the width of its windows."
)
@click.option("--on", metavar="TYPE", help="KPIs: the asset type or event type, if it has several.")
@click.option("--by", metavar="GROUP", help="KPIs: property, relationship, link or asset type to group by.")
@click.option("--group", "one", metavar="NAME", help="KPIs: one of these groups.")
@path_option("--svg", metavar="FILE", help="Write the drawing there, too.")
def _why(
    folder: Path, *, what: str, signal: str | None, at: str | None, step: str | None, on: str | None, by: str | None,
    one: str | None, svg: Path | None,
) -> None:  # fmt: skip
    """Explain a number: rows, files, definitions, flags."""
    twin = open_twin(folder)
    found = twin.alerts() if signal is None and at is None else None
    if found is not None and what in set(found["id"]):
        lineage = twin.why(found[found["id"] == what].iloc[0])
    else:
        lineage = twin.why(what, signal, at, step=step, on=on, by=by, group=one)
    say(str(lineage))
    if svg is not None:
        svg.write_text(f"{lineage.drawing()}\n", encoding="utf-8")
        say(f"wrote {svg}")
