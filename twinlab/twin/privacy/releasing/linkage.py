"""A linkage attack: somebody knows a few exact points of a person and looks for the person in a released file.

References
----------
.. [1] Y.-A. de Montjoye, C. A. Hidalgo, M. Verleysen, V. D. Blondel, "Unique in the Crowd: The privacy bounds of human mobility", Scientific
   Reports 3 (2013) 1376: four points in time and space were enough for 95 % of people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["POINTS", "AttackResult", "linkage_attack"]

#: Points of a person that the attacker knows.
POINTS = 4
#: People who are attacked, at most.
_TARGETS = 1000
Key = tuple[Hashable, ...]


@dataclass(frozen=True)
class AttackResult:
    """How well an attack does."""

    targets: int
    """People who were attacked."""
    risk: float
    """Share of them that the attacker finds, on average: among n rows or pseudonyms that fit equally well, one is guessed."""
    highest: float
    """Largest probability with which one of them is found."""


def linkage_attack(
    released: pd.DataFrame,
    exact: pd.DataFrame,
    people: pd.Series,
    generalise: Callable[[pd.DataFrame], pd.DataFrame],
    *,
    known_as: Mapping[str, str] | None = None,
    pseudonym: str | None = None,
    count: str | None = None,
    points: int = POINTS,
    seed: int = 0,
) -> AttackResult:
    """Attack a released file with exact points of people.

    The attacker knows how the file was made, and of each person some rows with exact times and positions. Points that the file doesn't have
    say nothing. With pseudonyms, those that fit all points are the candidates; without, the rows that fit the rarest point.

    Parameters
    ----------
    released : DataFrame
        What was released, read back from the file.
    exact : DataFrame
        The exact rows, with the columns that were released.
    people : Series of str
        Whom each exact row is about.
    generalise : callable
        Returns exact rows as they would be released.
    known_as : mapping, optional
        Person -> pseudonym in the file, to judge whether the attacker is right.
    pseudonym, count : str, optional
        Columns of the file with a pseudonym, or with the number of people of each row.
    points : int
        Points of each person that the attacker knows.
    seed : int
        Of the choice of people and points.
    """
    names = known_as or {}
    columns = [name for name in released.columns if name not in (pseudonym, count)]
    keys = _keys(generalise(exact)[columns])
    rng = np.random.default_rng(seed)
    rows_of = people.groupby(people.to_numpy()).indices
    targets = sorted(str(name) for name, rows in rows_of.items() if len(rows) >= points)
    if len(targets) > _TARGETS:
        targets = sorted(rng.choice(targets, _TARGETS, replace=False).tolist())
    sizes, owners = _contents(released, columns, pseudonym, count)
    chances = []
    for name in targets:
        known = {keys[row] for row in rng.choice(rows_of[name], points, replace=False)} & sizes.keys()
        if not known:
            chances.append(0.0)
        elif pseudonym is None:
            chances.append(max(1.0 / sizes[key] for key in known))
        else:
            fitting = set.intersection(*(owners[key] for key in known))
            right = names.get(name, name) in fitting
            chances.append(1.0 / len(fitting) if right else 0.0)
    return AttackResult(len(targets), float(np.mean(chances)) if chances else 0.0, max(chances, default=0.0))


def _keys(table: pd.DataFrame) -> list[Key]:
    plain = [_plain(table[name]) for name in table.columns]
    return list(zip(*plain, strict=True))


def _plain(column: pd.Series) -> Sequence[Hashable]:
    """Return values that are equal after they were written to a file and read back."""
    if column.dtype.kind == "M":
        return column.to_numpy("datetime64[ns]").astype(np.int64).tolist()
    if column.dtype.kind == "f":
        return [None if np.isnan(value) else round(value, 6) for value in column.tolist()]
    missing = column.isna().tolist()
    return [None if gone else str(value) for value, gone in zip(column.tolist(), missing, strict=True)]


def _contents(
    released: pd.DataFrame, columns: list[str], pseudonym: str | None, count: str | None
) -> tuple[Mapping[Key, float], Mapping[Key, set[str]]]:
    """Return for each combination of values the number of people, and their pseudonyms."""
    keys = _keys(released[columns])
    owners: dict[Key, set[str]] = {}
    if pseudonym is not None:
        for key, owner in zip(keys, released[pseudonym].tolist(), strict=True):
            owners.setdefault(key, set()).add(owner)
        return {key: len(found) for key, found in owners.items()}, owners
    if count is not None:
        return {key: max(1.0, float(n)) for key, n in zip(keys, released[count].tolist(), strict=True)}, owners
    return Counter(keys), owners
