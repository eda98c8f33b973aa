"""``twinlab ask``: a question in words, answered by calls of twinlab."""

from __future__ import annotations

import json
from pathlib import Path

import click

from twinlab._click import Command
from twinlab.cli.commands import group, open_twin, say, twin_folder

__all__: list[str] = []


@group.command(
    "ask", cls=Command, after="why",
    example='twinlab ask pilot/ "which cold rooms were too warm last week and for how long?"\n'
    'twinlab ask pilot/ "Wie lange war die Tür von R01 gestern offen?" --code',
)  # fmt: skip
@twin_folder
@click.argument("question", help="In English or German, in the words of the twin's model.")
@click.option("--now", metavar="TIME", help="What “today” counts from, UTC; by default the end of the data.")
@click.option("--language", metavar="CODE", help="en or de; by default that of the question.")
@click.option("--code", is_flag=True, help="Show the Python that gives the same numbers, too.")
@click.option("--json", "as_json", is_flag=True, help="Write plan, value, unit and notes as JSON.")
def _ask(folder: Path, *, question: str, now: str | None, language: str | None, code: bool, as_json: bool) -> None:
    """Answer a question in words."""
    answer = open_twin(folder).ask(question, now=now, language=language)
    if as_json:
        plan = None if answer.plan is None else json.loads(answer.plan.text)
        value = answer.value if isinstance(answer.value, int | float | str | None) else str(answer.value)
        say(
            json.dumps(
                {"sentence": answer.sentence, "value": value, "unit": answer.unit, "notes": answer.notes, "plan": plan},
                ensure_ascii=False,
            )
        )
    else:
        say(_shown(str(answer)))
        if len(answer.table) > 1:
            say(_shown(answer.table.head(20).to_string(index=False)))
        if code and answer.plan is not None:
            say(_shown(answer.code))
    if not answer.answered:
        click.get_current_context().exit(1)


def _shown(text: str) -> str:
    """Return a text whose names can't move the cursor, set a title or reorder a line of the terminal."""
    from twinlab.assistants.results.texts import visible_text  # noqa: PLC0415  (loaded by this command only)

    return "\n".join(visible_text(line, most=20_000) for line in text.split("\n"))
