"""The page ``notebooks/reference/learning.md``: ``python -m twinlab.learn.page`` writes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from twinlab.learn.exercise import Exercise
from twinlab.learn.roles import Role, all_roles

__all__ = ["learning_page"]

_HEAD = """# Learning paths

Seven roles, each with pages and notebooks to know and exercises of about 30 minutes. In a notebook, `tl.learn.start("dispatcher")` lists those of a role, `tl.learn.show("dispatcher.late-truck")`
shows one, and `tl.learn.check("dispatcher.late-truck", answer)` says whether an answer is right, or what to look at again. Progress is a file on your machine; `tl.learn.remember(False)` ends it.
This page is made from the texts of `twinlab.learn` by `python -m twinlab.learn.page`.

Each exercise has an example that runs as it is; your turn is the same task with something else.
"""


def learning_page() -> str:
    """Return the page in Markdown.

    >>> learning_page().splitlines()[0]
    '# Learning paths'
    """
    roles = list(all_roles().values())
    table = ["| role | exercises | what the twin is for |", "|---|---|---|"]
    table += [
        f"| [{one.title}](#{one.title.casefold().replace(' ', '-')}) | {len(one.exercises)} | {one.about} |"
        for one in roles
    ]
    return "\n".join([_HEAD, *table, "", *(line for one in roles for line in _role(one))])


def _role(role: Role) -> Iterator[str]:
    notebooks = ", ".join(f"[{name}](../{name}.ipynb)" for name in role.notebooks)
    reading = f" Read: {', '.join(f'[{name}]({name})' for name in role.reading)}." if role.reading else ""
    yield from (
        f"## {role.title}",
        "",
        role.about,
        "",
        f"Pages: {', '.join(role.pages)}. Notebooks: {notebooks}.{reading}",
        "",
    )
    for one in role.exercises:
        yield from (_exercise(one), "")


def _exercise(exercise: Exercise) -> str:
    # The headings of a text would be the same 28 times.
    text = (
        exercise.markdown()
        .replace("\n## Example\n", "\n**Example.** ")
        .replace("\n## Your turn\n", "\n**Your turn.** ")
    )
    return f"##{text}"


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "notebooks/reference/learning.md")
    target.write_text(learning_page(), encoding="utf-8", newline="\n")
