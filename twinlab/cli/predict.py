"""``twinlab predict``: the predictions that ``twin.yaml`` states, once."""

from __future__ import annotations

import os
from pathlib import Path

import click

from twinlab._click import Command
from twinlab.cli.commands import group, open_twin, say, twin_folder

__all__: list[str] = []

#: Added to the priority number of the process, where there is one: what the historian stores comes first.
_NICE = 10


@group.command(
    "predict", cls=Command, after="models",
    example="twinlab predict pilot/\ntwinlab predict pilot/ --only legs --again",
)  # fmt: skip
@twin_folder
@click.option("--only", metavar="NAME", multiple=True, help="Only this key of `predictions:`; may be repeated.")
@click.option("--again", is_flag=True, help="Predict although the last prediction isn't old enough.")
@click.option("--background", is_flag=True, help="At low priority, as `twinlab run` does.")
def _predict(folder: Path, *, only: tuple[str, ...], again: bool, background: bool) -> int:
    """Make and store the predictions of twin.yaml that are due; 1 if one failed."""
    if background and hasattr(os, "nice"):
        os.nice(_NICE)
    twin = open_twin(folder)
    if not twin.model.predictions:
        say("no predictions in twin.yaml; add for example  predictions: {legs: {delay: leg, every: 15min}}")
        return 0
    done = twin.run_predictions(*only, again=again)
    if done.stored or done.failed or not background:
        say(str(done), error=bool(done.failed))
    return 1 if done.failed else 0
