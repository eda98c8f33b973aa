"""``twinlab generate``: a synthetic twin like another one."""

from __future__ import annotations

from pathlib import Path

import click

from twinlab._click import Command
from twinlab.cli.commands import group, open_twin, say, twin_folder

__all__: list[str] = []


@group.command(
    "generate", cls=Command, after="scenario",
    example="twinlab generate pilot/ training/ --days 28 --faults 5 --seed 1\ntwinlab generate pilot/ shared/ --pseudonyms",
)  # fmt: skip
@twin_folder
@click.argument("target", type=click.Path(path_type=Path), help="New folder of the synthetic twin.")
@click.option("--since", metavar="TIME", help="First day of the history that is used, UTC.")
@click.option("--until", metavar="TIME", help="The day after the last one.")
@click.option("--days", type=click.IntRange(min=1), help="Synthetic days; by default as many as are used.")
@click.option(
    "--faults", type=click.IntRange(min=0), default=3, show_default=True, help="How many of each kind are planted."
)
@click.option("--pseudonyms", is_flag=True, help="Name assets by shuffled numbers.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same data.")
def _generate(
    folder: Path, *, target: Path, since: str | None, until: str | None, days: int | None, faults: int, pseudonyms: bool, seed: int
) -> None:  # fmt: skip
    """Make a twin with synthetic data like those of another one."""
    made = open_twin(folder).generate(
        target, start=since, stop=until, days=days, faults=faults, pseudonyms=pseudonyms, seed=seed
    )
    say(repr(made))
    say(f"what was planted: {target / 'truth.csv'}")
