"""Paths and exercises as tables, for a notebook and a terminal: `paths`, `start`, `show`, `progress_table`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from twinlab._html import html
from twinlab.learn.exercise import Exercise, find_exercise
from twinlab.learn.progress import solved
from twinlab.learn.roles import Role, all_roles, find_role

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Path", "Paths", "paths", "progress_table", "show", "start"]


class Paths:
    """All learning paths; its representation is a table."""

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self._roles = roles

    def __iter__(self) -> Iterator[Role]:
        return iter(self._roles)

    def __len__(self) -> int:
        return len(self._roles)

    def _counts(self) -> list[tuple[Role, int, int]]:
        done = solved()
        return [(role, sum(one.name in done for one in role.exercises), len(role.exercises)) for role in self._roles]

    def __repr__(self) -> str:
        lines = [f"  {role.role:17} {done} of {of} solved  {role.about}" for role, done, of in self._counts()]
        return "\n".join(["Learning paths:", *lines, 'Begin with tl.learn.start("dispatcher").'])

    def _repr_html_(self) -> str:
        return str(
            html(
                "<table><thead><tr><th style='text-align:left'>Role</th><th>Solved</th><th style='text-align:left'>What it is for</th><th style='text-align:left'>Begin with</th></tr></thead><tbody>"
                "{% for role, done, of in rows %}<tr><th scope='row' style='text-align:left'>{{ role.title }}</th><td>{{ done }} / {{ of }}</td>"
                "<td style='text-align:left'>{{ role.about }}</td><td style='text-align:left'><code>tl.learn.start(\"{{ role.role }}\")</code></td></tr>{% endfor %}"
                "</tbody></table>",
                rows=self._counts(),
            )
        )


class Path:
    """The path of one role; its representation lists pages, notebooks and exercises."""

    def __init__(self, role: Role) -> None:
        self.role = role

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """The exercises, in their order."""
        return self.role.exercises

    def __iter__(self) -> Iterator[Exercise]:
        return iter(self.exercises)

    def __repr__(self) -> str:
        role, done = self.role, solved()
        lines = [
            f"{role.title}: {role.about}",
            f"  pages      {', '.join(role.pages)}",
            f"  notebooks  {', '.join(role.notebooks)}",
        ]
        lines += [f"  read       {', '.join(role.reading)}"] if role.reading else []
        lines += [
            f"  [{'x' if one.name in done else ' '}] {one.name:32} {one.title} ({one.minutes} min)"
            for one in self.exercises
        ]
        return "\n".join([*lines, f'Read one with tl.learn.show("{self.exercises[0].name}").'])

    def _repr_html_(self) -> str:
        return str(
            html(
                "<p><strong>{{ role.title }}.</strong> {{ role.about }}</p>"
                "<p>Pages: {{ role.pages | join(', ') }}. Notebooks: {{ role.notebooks | join(', ') }}.{% if role.reading %} Read: "
                "{{ role.reading | join(', ') }}.{% endif %}</p>"
                "<table><thead><tr><th>Solved</th><th style='text-align:left'>Exercise</th><th>Minutes</th><th style='text-align:left'>Read it with</th></tr></thead><tbody>"
                "{% for one in exercises %}<tr><td>{{ '✓' if one.name in done else '–' }}</td>"
                "<td style='text-align:left'>{{ one.title }}</td><td>{{ one.minutes }}</td>"
                '<td style="text-align:left"><code>tl.learn.show("{{ one.name }}")</code></td></tr>{% endfor %}</tbody></table>',
                role=self.role,
                exercises=self.exercises,
                done=solved(),
            )
        )


def paths() -> Paths:
    """Return the learning paths of all roles.

    >>> len(paths())
    7
    """
    return Paths(tuple(all_roles().values()))


def start(role: str) -> Path:
    """Return the path of a role: which pages and notebooks, and the exercises.

    Parameters
    ----------
    role : str
        Such as ``"dispatcher"`` or ``"OT engineer"``.

    Raises
    ------
    UnknownTermError
        If there is no path for it; names the nearest one.

    Examples
    --------
    >>> import twinlab as tl
    >>> tl.learn.start("OT engineer").role.title
    'OT engineer'
    """
    return Path(find_role(role))


def show(exercise: str) -> Exercise:
    """Return an exercise; a notebook shows its text.

    Parameters
    ----------
    exercise : str
        Such as ``"dispatcher.late-truck"``.

    Raises
    ------
    UnknownTermError
        If there is none of that name; names the nearest one.

    Examples
    --------
    >>> import twinlab as tl
    >>> tl.learn.show("dispatcher.late-truck").minutes
    30
    """
    return find_exercise(exercise)


def progress_table() -> pd.DataFrame:
    """Return what this reader has solved: a row for each exercise, ``title`` and ``solved`` (UTC, empty if not)."""
    import pandas as pd  # noqa: PLC0415  (loaded when asked)

    done = solved()
    rows = [(one.name, one.title, done.get(one.name, "")) for role in all_roles().values() for one in role.exercises]
    return pd.DataFrame(rows, columns=["exercise", "title", "solved"]).set_index("exercise")
