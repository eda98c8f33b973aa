"""What to do about risks: act now, plan or watch, with the expected cost of acting and of waiting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError

__all__ = ["ACTIONS", "maintenance_list"]

Floats = NDArray[np.float64]
#: From the most urgent on.
ACTIONS: Final = ("act now", "plan", "watch", "none", "can't tell")
Costs = float | Mapping[str, float]


def maintenance_list(
    soon: pd.DataFrame,
    later: pd.DataFrame,
    *,
    acting: Costs | None = None,
    failing: Costs | None = None,
    limit: float = 0.5,
    usual: float = 0.0,
) -> pd.DataFrame:
    """Return what to do about each asset.

    Acting costs ``acting``; waiting costs ``failing`` times the probability of a failure meanwhile. *Act now*: waiting costs more, even until
    the next occasion (``soon``). *Plan*: it costs more within the whole span (``later``). *Watch*: the probability is at least twice the usual one and a tenth of the
    one from which on acting pays. Without costs, the probability from which on acting pays is ``limit``.

    Parameters
    ----------
    soon, later : DataFrame
        Risks of the same assets within a short and a long span, as `FittedFailure.table` returns them.
    acting, failing : float or mapping of asset to float, optional
        Costs of maintenance that is planned, and of a failure with all that follows, in one currency. An asset that a mapping doesn't have, has no
        cost.
    limit : float
        Probability from which on acting pays where no costs are stated, 0 to 1.
    usual : float
        Probability of a failure within the long span of an asset of which nothing is known.

    Returns
    -------
    DataFrame
        The rows of ``later`` with ``action, probability_soon, cost_of_acting, cost_of_waiting, cost_note`` before them, by action, then by what is saved,
        then by risk.

    Raises
    ------
    SchemaError
        If a cost is negative or not a number, or the limit isn't between 0 and 1.

    >>> risk = pd.DataFrame({"asset": ["A"], "probability": [0.4], "cant_tell": [""]})
    >>> maintenance_list(risk, risk, acting=300, failing=5000)["action"].tolist()
    ['act now']
    """
    if not 0 < limit < 1:
        msg = f"expected a limit between 0 and 1, got {limit!r}"
        raise SchemaError(msg)
    assets = [str(one) for one in later["asset"]]
    act, fail = _costs(acting, assets, "acting"), _costs(failing, assets, "failing")
    near = soon.set_index("asset")["probability"].reindex(assets).to_numpy(float)
    far = later["probability"].to_numpy(float)
    stated = ~np.isnan(act) & ~np.isnan(fail)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        pays = np.where(stated, act / fail, limit)
    pays = np.where(np.isnan(pays), np.inf, pays)
    action = np.select(
        [np.isnan(far), near >= pays, far >= pays, (far >= 2 * usual) & (far >= pays / 10)],
        ["can't tell", "act now", "plan", "watch"],
        "none",
    )
    # An asset that has failed needs somebody now.
    failed = later["cant_tell"].str.startswith("it has failed").to_numpy(bool)
    action = np.where(failed, "act now", action)
    out = later.copy()
    new = {
        "action": action,
        "probability_soon": near,
        "cost_of_acting": act,
        "cost_of_waiting": np.where(stated, fail * far, np.nan),
        "cost_note": np.where(stated, "", "no cost stated"),
    }
    for place, (name, values) in enumerate(new.items()):
        out.insert(1 + place, name, values)
    order = pd.DataFrame({
        "action": [ACTIONS.index(one) for one in action],
        "saved": -np.nan_to_num(out["cost_of_waiting"].to_numpy(float) - act),
        "risk": -np.nan_to_num(far, nan=2.0),
        "asset": assets,
    })  # fmt: skip
    return out.iloc[order.sort_values(list(order.columns)).index].reset_index(drop=True)


def _costs(given: Costs | None, assets: list[str], what: str) -> Floats:
    """Return the cost of each asset; NaN where none is stated."""
    if given is None:
        return np.full(len(assets), np.nan)
    found = np.array([given.get(one, np.nan) if isinstance(given, Mapping) else given for one in assets], float)
    wrong = np.flatnonzero((found < 0) | np.isinf(found))
    if len(wrong):
        msg = f"expected costs of at least 0 in {what}, got {found[wrong[0]]} for {assets[wrong[0]]}"
        raise SchemaError(msg)
    return found
