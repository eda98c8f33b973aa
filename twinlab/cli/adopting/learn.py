"""``twinlab learn``: learning paths, exercises, and answers checked, for those who work with pages and not with Python."""

from __future__ import annotations

import click

from twinlab._click import Command, Several
from twinlab.cli.commands import group, say

__all__: list[str] = []


@group.command(
    "learn", cls=Command, after="pilot",
    example="twinlab learn\ntwinlab learn dispatcher\ntwinlab learn dispatcher.late-truck\ntwinlab learn dispatcher.late-truck --answer T001",
)  # fmt: skip
@click.argument("what", required=False, help="A role, or an exercise; by default all paths are listed.")
@click.option(
    "--answer", "answers", cls=Several, metavar="ANSWER...", help="Check an answer of an exercise; 1 if it isn't right."
)
def _learn(*, what: str | None, answers: tuple[str, ...]) -> int:
    """List learning paths by role, show an exercise, check an answer."""
    from twinlab import learn  # noqa: PLC0415  (each command loads its rooms only)

    if answers:
        if what is None or "." not in what:
            msg = "--answer belongs to an exercise, such as dispatcher.late-truck."
            raise click.UsageError(msg)
        verdict = learn.check(what, answers[0] if len(answers) == 1 else list(answers))
        say(repr(verdict))
        return 0 if verdict else 1
    if what is None:
        say(repr(learn.paths()))
    else:
        say(learn.show(what).markdown() if "." in what else repr(learn.start(what)))
    return 0
