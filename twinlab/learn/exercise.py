"""`Exercise`: one task of about 30 minutes, as its Markdown file states it, and `all_exercises`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import yaml

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest

__all__ = ["Exercise", "all_exercises", "find_exercise"]

_FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_REPLACE = re.compile(r"^- Replace `([^`]+)` with `([^`]+)`\.?$", re.MULTILINE)
_TITLES = ("Example", "Your turn")
_TWINS = ("nyc", "parcel", "copy", "workshop")


@dataclass(frozen=True)
class Exercise:
    """One exercise: a text with an example that runs, and a task that is solved as the example is."""

    name: str
    """Role and exercise, such as ``"dispatcher.late-truck"``."""
    title: str
    """What is found out or done."""
    twin: str
    """``nyc`` or ``parcel``, a demo twin; ``copy``, a copy of ``parcel`` to change; ``workshop``, a small twin to change."""
    answer: str
    """What an answer looks like."""
    page: str
    """The page on which the same can be done or seen; empty if there is none."""
    notebook: str
    """The notebook that explains more, such as ``07_events``."""
    text: str
    """The whole text, in Markdown, without the head."""
    minutes: int = 30
    """About how long it takes."""

    @property
    def role(self) -> str:
        """The role it's for."""
        return self.name.partition(".")[0]

    @property
    def example(self) -> str:
        """The example's code."""
        return "\n".join(_FENCE.findall(_section(self.text, "Example")))

    @property
    def replacements(self) -> tuple[tuple[str, str], ...]:
        """What the task replaces in the example's code: (text, its replacement)."""
        return tuple(_REPLACE.findall(_section(self.text, "Your turn")))

    @property
    def code(self) -> str:
        """The code of the task: that of the example, with the replacements."""
        code = self.example
        for old, new in self.replacements:
            code = code.replace(old, new)
        return code

    def markdown(self) -> str:
        """Return the exercise as one page of Markdown."""
        places = [f"page *{self.page}* of `twin.explore()`"] if self.page else []
        places += [f"notebook `{self.notebook}`"] if self.notebook else []
        more = f" More: {', '.join(places)}." if places else ""
        head = f"# {self.title}\n\n`{self.name}`, about {self.minutes} minutes.{more}\n"
        foot = f'When you have it: `tl.learn.check("{self.name}", answer)`; the answer is {self.answer}.\n'
        return f"{head}\n{self.text.strip()}\n\n{foot}"

    def __repr__(self) -> str:
        return self.markdown()

    def _repr_markdown_(self) -> str:
        return self.markdown()


def _section(text: str, title: str) -> str:
    """Return the text below a heading, until the next one."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


def parse_exercise(name: str, text: str) -> Exercise:
    """Read an exercise from its file: a head in YAML between lines of ``---``, then Markdown.

    Raises
    ------
    SchemaError
        If a key or a section is missing, or a replacement names what the example doesn't have.
    """
    _, head, body = text.split("---\n", 2)
    keys = yaml.safe_load(head)
    try:
        made = Exercise(
            name, keys["title"], keys["twin"], keys["answer"], keys.get("page", ""), keys.get("notebook", ""), body
        )
    except KeyError as error:
        msg = f"exercise {name}: expected the keys title, twin and answer in the head, {error} is missing"
        raise SchemaError(msg) from error
    faults = [f"no section '## {title}' with its code or replacements" for title, part in
              zip(_TITLES, (made.example, made.replacements), strict=True) if not part]  # fmt: skip
    faults += [f"`{old}` isn't in the example's code" for old, _ in made.replacements if old not in made.example]
    faults += [] if made.twin in _TWINS else [f"no twin {made.twin!r}: it is one of {', '.join(_TWINS)}"]
    if faults:
        msg = f"exercise {name}: {'; '.join(faults)}"
        raise SchemaError(msg)
    return made


@lru_cache(maxsize=1)
def all_exercises() -> dict[str, Exercise]:
    """Return name -> exercise, in the order of their files within a role."""
    folder = Path(str(files("twinlab.learn") / "texts"))
    found = sorted(folder.glob("*/*.md"))
    names = {path: f"{path.parent.name}.{path.stem.partition('-')[2]}" for path in found}
    return {name: parse_exercise(name, path.read_text(encoding="utf-8")) for path, name in names.items()}


def find_exercise(name: str, known: Iterable[str] = ()) -> Exercise:
    """Return an exercise by its name.

    Raises
    ------
    UnknownTermError
        If there is none of that name; names the nearest one.
    """
    exercises = all_exercises()
    if name not in exercises:
        msg = f"there is no exercise {name!r}{nearest(name, known or exercises)}; tl.learn.paths() lists all"
        raise UnknownTermError(msg)
    return exercises[name]
