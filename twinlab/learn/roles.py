"""Roles and their paths: which pages and notebooks, and why; from ``texts/roles.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import yaml

from twinlab.errors import UnknownTermError
from twinlab.learn.exercise import Exercise, all_exercises
from twinlab.model.terms import nearest

__all__ = ["Role", "all_roles", "find_role"]


@dataclass(frozen=True)
class Role:
    """One role with what is worth learning for it."""

    role: str
    """Its name in code, such as ``"ot-engineer"``."""
    title: str
    """Its name in texts."""
    about: str
    """What the twin is for, for this role."""
    pages: tuple[str, ...]
    """Pages to know, in this order."""
    notebooks: tuple[str, ...]
    """Notebooks to run, in this order."""
    reading: tuple[str, ...] = ()
    """Pages of ``notebooks/reference/`` to read."""

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """The exercises, in their order."""
        return tuple(one for one in all_exercises().values() if one.role == self.role)


@lru_cache(maxsize=1)
def all_roles() -> dict[str, Role]:
    """Return name -> role, in the order of the learning page."""
    text = (files("twinlab.learn") / "texts" / "roles.yaml").read_text(encoding="utf-8")
    return {
        name: Role(
            name,
            one["title"],
            one["about"],
            tuple(one["pages"]),
            tuple(one["notebooks"]),
            tuple(one.get("reading", ())),
        )
        for name, one in yaml.safe_load(text).items()
    }


def find_role(name: str) -> Role:
    """Return a role by its name: ``"ot-engineer"``, or ``"OT engineer"``.

    Raises
    ------
    UnknownTermError
        If there is none of that name; names the nearest one.
    """
    roles = all_roles()
    key = name.strip().casefold().replace(" ", "-")
    key = next((one.role for one in roles.values() if one.title.casefold() == name.strip().casefold()), key)
    if key not in roles:
        msg = f"there is no learning path for {name!r}{nearest(key, roles)}"
        raise UnknownTermError(msg)
    return roles[key]
