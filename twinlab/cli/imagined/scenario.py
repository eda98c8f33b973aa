"""``twinlab scenario``: a scenario drafted from a text, shown and written, not run."""

from __future__ import annotations

from pathlib import Path

import click

from twinlab._click import Command
from twinlab.cli.commands import group, open_twin, say, twin_folder

__all__: list[str] = []


@group.command(
    "scenario", cls=Command, after="ask",
    example='twinlab scenario pilot/ "close Hamburg tomorrow from 6 to 12 o\'clock"\n'
    'twinlab scenario pilot/ "20 % mehr Nachfrage nächste Woche" --quote --write busy.yaml',
)  # fmt: skip
@twin_folder
@click.argument("text", help="What changes, in English or German.")
@click.option("--start", default="now", show_default=True, metavar="TIME", help="What “tomorrow” counts from, UTC.")
@click.option("--name", default="draft", show_default=True, help="Of the scenario.")
@click.option("--quote", is_flag=True, help="Show what a run would take, too; its first futures are timed.")
@click.option("--write", "file", type=click.Path(path_type=Path), help="Write the scenario as YAML to this file.")
def _scenario(folder: Path, *, text: str, start: str, name: str, quote: bool, file: Path | None) -> None:
    """Draft a scenario from a text; nothing runs."""
    draft = open_twin(folder).draft_scenario(text, start=start, name=name)
    say(str(draft))
    if not draft.valid:
        click.get_current_context().exit(1)
    if quote:
        say("A run would take " + ", ".join(map(str, draft.quote().amounts.values())) + ".")
    if file is not None:
        file.write_text(draft.yaml, encoding="utf-8")
        say(f"written to {file}")
