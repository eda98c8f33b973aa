"""``twinlab plan``: what a twin needs and costs with more assets, and which part breaks first."""

from __future__ import annotations

from pathlib import Path

import click

from twinlab._click import Command, Several
from twinlab.cli.commands import group, open_twin, path_option, say, twin_folder

__all__: list[str] = []


@group.command(
    "plan", cls=Command, after="compact",
    example="twinlab plan pilot/\ntwinlab plan pilot/ --factors 1 50 --assets truck=200 --json plan.json",
)  # fmt: skip
@twin_folder
@click.option(
    "--factors", cls=Several, metavar="N...", help="Sizes, as multiples of today's assets (default: 1 10 100 1000)."
)
@click.option("--assets", cls=Several, metavar="TYPE=N...", help="Assets of a type (default: those that the twin has).")
@click.option(
    "--charts", type=int, default=1000, show_default=True, metavar="N", help="Charts that people look at in a day."
)
@path_option(
    "--json", "file", metavar="FILE", help="Write the plan there as JSON, too; - writes only that, to the terminal."
)
def _plan(folder: Path, *, factors: tuple[str, ...], assets: tuple[str, ...], charts: int, file: Path | None) -> None:
    """Predict bytes, requests, seconds, workers and money of a larger twin, and what breaks first."""
    sizes = [_number(text, "--factors") for text in factors] or [1, 10, 100, 1000]
    plan = open_twin(folder).plan_scale(sizes, assets=_assets(assets), charts=charts)
    if file is not None and str(file) == "-":
        say(plan.to_json())
        return
    say(str(plan))
    if file is not None:
        file.write_text(plan.to_json() + "\n", encoding="utf-8")
        say(f"wrote {file}")


def _assets(given: tuple[str, ...]) -> dict[str, int] | None:
    found = {}
    for text in given:
        name, sign, number = text.partition("=")
        if not sign or not number.isdecimal():
            msg = f"--assets: expected an asset type and a number, such as truck=200, got {text!r}."
            raise click.UsageError(msg)
        found[name] = int(number)
    return found or None


def _number(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        msg = f"{option}: expected numbers of at least 1, got {text!r}."
        raise click.UsageError(msg) from None
