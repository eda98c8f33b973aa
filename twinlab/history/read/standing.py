"""The standing of claims: which ones count, and what became of the others."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["STANDINGS", "standing_of"]

#: valid: counts. repeated: equal to the valid claim of its identity when it arrived, as after a batch whose
#: acknowledgement was lost. superseded: a later claim of its identity replaced it. retracted, retraction: withdrawn by a
#: row of the source, and that row. withdrawn: its file was read again or retracted.
STANDINGS = ("valid", "repeated", "superseded", "retracted", "retraction", "withdrawn")

_PLACE = ["source", "tag", "time"]


def standing_of(claims: pd.DataFrame) -> pd.Series:
    """Return the standing of each claim of one series.

    Identity and precedence are those of the build (see `twinlab.history.build.resolve`): the key with its tag, else epoch
    and sequence, else source, tag and time; the latest of an identity counts.

    Parameters
    ----------
    claims : DataFrame
        Columns ``source, tag, time, value, epoch, sequence, op, key, position`` and ``withdrawn`` (bool).

    Returns
    -------
    Series of str, one of `STANDINGS`, with the index of ``claims``
    """
    out = pd.Series("withdrawn", index=claims.index, dtype=object)
    rows = claims[~claims["withdrawn"]]
    if rows.empty:
        return out
    keyed, sequenced = rows["key"].notna(), rows["sequence"] >= 0
    if _all_differ(rows, keyed, sequenced):
        out[rows.index] = "valid"
        return out
    order = pd.DataFrame(
        {
            "source": rows["source"],
            "tag": rows["tag"],
            "time": rows["time"].where(~keyed),
            "key": rows["key"],
            "kind": np.select([keyed, sequenced], [2, 1], 0),
            "epoch": rows["epoch"].where(sequenced, -(2**62)),
            "rank": rows["sequence"].where(sequenced, rows["position"]),
            "retracts": rows["op"] == "retract",
            "value": rows["value"],
            "position": rows["position"],
        },
        index=rows.index,
    )
    # Only sequenced rows without a key have the sequence as part of their identity.
    alone = order["kind"] == 1
    identity = order[["source", "tag", "time", "key", "kind"]].assign(
        own_epoch=order["epoch"].where(alone, 0), own_rank=order["rank"].where(alone, -1)
    )
    order["group"] = identity.groupby(list(identity), dropna=False, sort=False).ngroup()
    order["at"] = rows["time"]
    order = order.sort_values(["group", "epoch", "rank", "retracts", "at", "value", "position"])
    before = order.shift()
    repeated = (order["group"] == before["group"]) & (order["retracts"] == before["retracts"])
    repeated &= (order["at"] == before["at"]) & ((order["value"] == before["value"]) | order["retracts"])
    kept = order[~repeated]
    last = kept.groupby("group", sort=False)["retracts"].transform("last")
    newest = ~kept["group"].duplicated(keep="last")
    found = np.select(
        [kept["retracts"], newest, last.astype(bool)], ["retraction", "valid", "retracted"], default="superseded"
    )
    out[repeated.index] = "repeated"
    out[kept.index] = found
    return _retract_places(out, kept)


def _all_differ(rows: pd.DataFrame, keyed: pd.Series, sequenced: pd.Series) -> bool:
    """Return whether every claim has an identity of its own and none is a retraction: then all are valid."""
    if keyed.any() or (rows["op"] != "observe").any():
        return False
    identity = pd.DataFrame(
        {
            "source": pd.factorize(rows["source"])[0],
            "tag": pd.factorize(rows["tag"])[0],
            "sequenced": sequenced.to_numpy(),
            "epoch": np.where(sequenced, rows["epoch"], 0),
            "place": np.where(sequenced, rows["sequence"], rows["time"].to_numpy().astype("int64")),
        }
    )
    changing = [name for name in identity if identity[name].min() != identity[name].max()]
    return len(rows) == 1 or (bool(changing) and not identity.duplicated(changing).any())


def _retract_places(out: pd.Series, kept: pd.DataFrame) -> pd.Series:
    """Apply retractions with a sequence of their own: each withdraws the earlier claims of its source, tag and time."""
    alone = kept.groupby("group", sort=False)["retracts"].transform("all") & (kept["kind"] == 1)
    for row in kept[alone].itertuples():
        same = (kept["source"] == row.source) & (kept["tag"] == row.tag) & (kept["at"] == row.at)
        earlier = (kept["kind"] == 0) | (
            (kept["kind"] == 1)
            & ((kept["epoch"] < row.epoch) | ((kept["epoch"] == row.epoch) & (kept["rank"] < row.rank)))
        )
        gone = kept.index[same & earlier]
        out[gone] = out[gone].where(out[gone] != "valid", "retracted")
    return out
