"""``twinlab models``: the fitted models of a twin, their cards, and whether they still fit it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twinlab._click import Command
from twinlab.cli.commands import group, open_twin, say, twin_folder
from twinlab.cli.revisions import author_name

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.twin.predict.models import TwinModels

__all__: list[str] = []


@group.command(
    "models", cls=Command, after="fidelity",
    example="twinlab models pilot/\ntwinlab models pilot/ --card delays\ntwinlab models pilot/ --check\ntwinlab models pilot/ --retrain delays",
)  # fmt: skip
@twin_folder
@click.option("--card", metavar="NAME", help="Show what this model is made of, its scores, and what it can't answer.")
@click.option(
    "--check",
    is_flag=True,
    help="Say whether each still fits the twin; 1 if one should be trained again or is refused.",
)
@click.option(
    "--retrain", metavar="NAME", help="Fit this model again to what is known now, and propose it; says what differs."
)
@click.option("--promote", metavar="NAME", help="Use the proposed version of this model from now on.")
@click.option(
    "--test",
    metavar="SPAN",
    default="14d",
    show_default=True,
    help="With --retrain: newest span that isn't fitted to, for the comparison.",
)
@click.option("--author", metavar="NAME", help="Who retrains or promotes (default: this computer's user).")
def _models(
    folder: Path,
    *,
    card: str | None,
    check: bool,
    retrain: str | None,
    promote: str | None,
    author: str | None,
    test: str,
) -> int:
    """List the fitted models that are stored beside a twin."""
    asked = {"--card": card, "--check": check, "--retrain": retrain, "--promote": promote}
    given = [name for name, value in asked.items() if value]
    if len(given) > 1:
        msg = f"expected one of --card, --check, --retrain and --promote, got {' and '.join(given)}."
        raise click.UsageError(msg)
    if author is not None and not (retrain or promote):
        msg = "--author belongs to --retrain or --promote."
        raise click.UsageError(msg)
    models = open_twin(folder).models
    if retrain is not None:
        proposal = models.retrain(retrain, test=test, author=author_name(author))
        say(f"{proposal}\n{proposal.diff()}\nto use it: twinlab models {folder} --promote {retrain}")
        return 0
    if promote is not None:
        proposal = models.proposal(promote)
        proposal.promote(author=author_name(author))
        say(f"{promote}: version {proposal.version[:10]} is in use")
        return 0
    if card is not None:
        say(repr(models.card(card)))
        return 0
    if check:
        return _check(models)
    table = models.table()
    if table.empty:
        say("no models; twin.models.add(name, fitted, owner=…) stores one")
        return 0
    # In blocks as wide as the terminal; in one piece if it goes to a file.
    width = shutil.get_terminal_size((1000, 24)).columns
    say(_shown(table).to_string(index=False, float_format="{:.4g}".format, na_rep="-", line_width=width))
    for row in table[table["fault"] != ""].itertuples():
        say(f"{row.name}: {row.fault}", error=True)
    return 0


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns for a terminal, with short versions and days."""
    short = {name: table[name].str[:10] for name in ("version", "proposed")}
    days = {name: table[name].dt.strftime("%Y-%m-%d") for name in ("start", "stop", "added")}
    return table.assign(**short, **days).drop(columns=["bytes", "fault"])


def _check(models: TwinModels) -> int:
    """Say how each model is; return 1 if one should be trained again, is refused, or can't be read."""
    from twinlab.errors import TwinlabError  # noqa: PLC0415  (each command loads its rooms only)

    trouble = False
    for name in models.names:
        try:
            found = models.check(name)
        except TwinlabError as error:
            say(f"{name}: {error}", error=True)
            trouble = True
            continue
        trouble |= found.verdict in ("retrain proposed", "refused")
        say(f"{name} {found.version[:10]}: {found}")
    return int(trouble)
