"""Counts with noise, by OpenDP: one person changes what is released by no more than the stated privacy loss.

References
----------
.. [1] C. Dwork, F. McSherry, K. Nissim, A. Smith, "Calibrating noise to sensitivity in private data analysis", TCC 2006.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from twinlab.errors import SourceError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["bounded", "noisy_counts"]


def bounded(table: pd.DataFrame, people: pd.Series, most: int, *, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Return rows of which each person has at most ``most``, drawn at random."""
    order = np.random.default_rng(seed).permutation(len(table))
    number = people.iloc[order].groupby(people.iloc[order]).cumcount()
    kept = np.sort(order[number.to_numpy() < most])
    return table.iloc[kept].reset_index(drop=True), people.iloc[kept].reset_index(drop=True)


def noisy_counts(counts: npt.NDArray[np.int64], *, most: int, epsilon: float) -> npt.NDArray[np.int64]:
    """Return counts with discrete Laplace noise, not below zero.

    Parameters
    ----------
    counts : int64 (n,)
        Numbers of people.
    most : int
        In how many of these counts one person is, at most.
    epsilon : float
        Privacy loss of all counts together.

    Raises
    ------
    SourceError
        If OpenDP isn't installed.
    """
    try:
        import opendp.prelude as dp  # noqa: PLC0415  (an extra)
    except ImportError as error:
        msg = "noise is drawn by OpenDP, which isn't installed: pip install 'twinlab-kit[privacy]'"
        raise SourceError(msg) from error
    # Its constructors are "contrib" until their proofs are reviewed.
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l1_distance(T=int)
    measure = dp.binary_search_chain(lambda scale: dp.m.make_laplace(*space, scale=scale), d_in=most, d_out=epsilon)
    return np.maximum(0, np.array(measure(counts.tolist()), dtype=np.int64))
