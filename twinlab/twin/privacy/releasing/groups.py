"""Groups of people: rows that at least so many people share in all released columns.

References
----------
.. [1] L. Sweeney, "k-anonymity: a model for protecting privacy", International Journal of Uncertainty, Fuzziness and Knowledge-Based
   Systems 10 (2002) 557-570.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PEOPLE", "counted", "in_groups"]

#: Column with the number of people of a row.
PEOPLE = "people"


def counted(table: pd.DataFrame, people: pd.Series, by: Sequence[str]) -> pd.DataFrame:
    """Return the number of different people for each combination of some columns, as `PEOPLE`."""
    whole = table[list(by)].assign(**{PEOPLE: people.to_numpy()})
    found: pd.DataFrame = whole.groupby(list(by), dropna=False, observed=True)[PEOPLE].nunique().reset_index()
    return found


def in_groups(table: pd.DataFrame, people: pd.Series, least: int) -> pd.DataFrame:
    """Return rows that at least ``least`` people have in common, each person's once; the person isn't among the columns.

    The order of the rows doesn't depend on the people.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"hub": ["A", "A", "A", "B"]})
    >>> in_groups(table, pd.Series(["Ann", "Bob", "Bob", "Cem"]), 2)["hub"].tolist()
    ['A', 'A']
    """
    columns = list(table.columns)
    once = table.assign(**{PEOPLE: people.to_numpy()}).drop_duplicates()
    size = once.groupby(columns, dropna=False, observed=True)[PEOPLE].transform("nunique")
    kept: pd.DataFrame = once[size >= least][columns]
    return kept.sort_values(columns).reset_index(drop=True)
