"""Which events, assets and links differ between two states of a history."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from twinlab.history.store.chunk_reader import DirectBytes
from twinlab.history.store.view import View

__all__ = ["EVENT_CHANGE_COLUMNS", "matched_changes", "same_tables"]

#: Columns of a table of changed events and their types.
EVENT_CHANGE_COLUMNS: dict[str, str] = {
    "change": "str",
    "key": "str",
    "asset": "str",
    "start": "datetime64[ns]",
    "end": "datetime64[ns]",
    "start_before": "datetime64[ns]",
    "end_before": "datetime64[ns]",
    "key_before": "str",
}

_FIRST, _LAST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


def same_tables(old: View, new: View, prefix: str) -> bool:
    """Whether two states share all chunks of the tables whose paths start with ``prefix``; doesn't read them."""
    if old.tables(prefix) != new.tables(prefix):
        return False
    stores = [view.bytes_store() for view in (old, new)]
    metadata = [store.metadata for store in stores if isinstance(store, DirectBytes)]
    if len(metadata) < 2:
        return False
    one, other = (found.nodes(prefix) for found in metadata)
    return one == other and all(
        metadata[0].document(path) == metadata[1].document(path)
        and metadata[0].chunks(path) == metadata[1].chunks(path)
        for path in one
    )


def matched_changes(
    old: pd.DataFrame,
    new: pd.DataFrame,
    *,
    key: str,
    times: tuple[str, str],
    asset: str = "asset",
    also: Sequence[str] = (),
) -> pd.DataFrame:
    """Return what became of the events of one table in another: kept ones aren't listed.

    An event with the same key whose times differ *moved*; one whose other columns differ *changed*. Of the others, an old
    event that overlaps one new event of its asset moved to it, and one that overlaps several was *split* into them, also if
    one of the parts keeps its key; the rest *vanished* and *appeared*.

    Parameters
    ----------
    old, new : DataFrame
        A row an event.
    key, asset : str
        Columns with the event's identity and its asset.
    times : (str, str)
        Columns with its start and its end; an end of NaT is open.
    also : sequence of str
        Further columns that are compared.

    Returns
    -------
    DataFrame
        Columns as `EVENT_CHANGE_COLUMNS`; ``change`` is one of appeared, vanished, moved, split, changed.

    Examples
    --------
    >>> day = pd.Timestamp("2026-01-01")
    >>> old = pd.DataFrame({"key": ["a"], "asset": ["x"], "since": [day], "until": [day + pd.Timedelta("2h")]})
    >>> new = old.assign(key="b", since=day + pd.Timedelta("1h"))
    >>> matched_changes(old, new, key="key", times=("since", "until"))[["change", "key", "key_before"]].values.tolist()
    [['moved', 'b', 'a']]
    """
    start, end = times
    both = old.merge(new, on=key, how="inner", suffixes=("_old", "_new"))
    moved = _other(both, start) | _other(both, end)
    changed = np.zeros(len(both), dtype=bool)
    for column in also:
        changed |= _other(both, column)
    names = {key: "key", f"{asset}_new": "asset", f"{start}_new": "start", f"{end}_new": "end"}
    names |= {f"{start}_old": "start_before", f"{end}_old": "end_before"}
    stayed = both.assign(change=np.where(moved, "moved", "changed"))[moved | changed].rename(columns=names)
    gone, come = old[~old[key].isin(new[key])], new[~new[key].isin(old[key])]
    # One that keeps its key, and of which a part is another event now.
    shorter = old[old[key].isin(both.loc[moved & _meet(both, times), key])]
    whole, part = _overlapping(shorter, come, times, asset)
    stayed.loc[stayed["key"].isin(shorter[key].iloc[whole]), "change"] = "split"
    further = _beside(shorter.iloc[whole], come.iloc[part], key, times, asset, "split")
    come = come.iloc[np.setdiff1d(np.arange(len(come)), part)]
    one, other = _overlapping(gone, come, (start, end), asset)
    parts = np.bincount(one, minlength=len(gone))
    pairs = _beside(
        gone.iloc[one], come.iloc[other], key, (start, end), asset, np.where(parts[one] > 1, "split", "moved")
    )
    alone = np.setdiff1d(np.arange(len(gone)), one), np.setdiff1d(np.arange(len(come)), other)
    vanished = _beside(gone.iloc[alone[0]], come.iloc[[-1] * 0], key, (start, end), asset, "vanished")
    appeared = _beside(gone.iloc[[-1] * 0], come.iloc[alone[1]], key, (start, end), asset, "appeared")
    tables = [stayed.assign(key_before=stayed["key"]), further, pairs, vanished, appeared]
    table = pd.concat([one.reindex(columns=list(EVENT_CHANGE_COLUMNS)).astype(EVENT_CHANGE_COLUMNS) for one in tables])
    at = table["start"].fillna(table["start_before"])
    order = np.lexsort((table["key"].fillna("").astype(str), at.to_numpy()))
    sorted_table: pd.DataFrame = table.iloc[order].reset_index(drop=True)
    return sorted_table


def _meet(both: pd.DataFrame, times: tuple[str, str]) -> np.ndarray:
    """Return which events of a merged table overlap what they were before."""
    start, end = times
    ends = {name: both[f"{end}_{name}"].fillna(pd.Timestamp.max) for name in ("old", "new")}
    starts = {name: both[f"{start}_{name}"].fillna(pd.Timestamp.min) for name in ("old", "new")}
    return ((starts["old"] <= ends["new"]) & (starts["new"] <= ends["old"])).to_numpy()


def _beside(  # noqa: PLR0917  (one caller)
    gone: pd.DataFrame, come: pd.DataFrame, key: str, times: tuple[str, str], asset: str, change: str | np.ndarray
) -> pd.DataFrame:
    """Return old and new events beside each other; one of the two may be empty."""
    now, before = come if len(come) else None, gone if len(gone) else None
    columns: dict[str, object] = {}
    for name, source, column in (
        ("key", now, key), ("asset", now if now is not None else before, asset), ("start", now, times[0]), ("end", now, times[1]),
        ("start_before", before, times[0]), ("end_before", before, times[1]), ("key_before", before, key),
    ):  # fmt: skip
        columns[name] = None if source is None else source[column].to_numpy()
    return pd.DataFrame(columns, index=range(max(len(gone), len(come)))).assign(change=change)


def _other(both: pd.DataFrame, column: str) -> np.ndarray:
    old, new = both[f"{column}_old"], both[f"{column}_new"]
    found: np.ndarray = ((old != new) & ~(old.isna() & new.isna())).to_numpy()
    return found


def _overlapping(
    gone: pd.DataFrame, come: pd.DataFrame, times: tuple[str, str], asset: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of old and new events of one asset that overlap, as places; each new event is in one pair at most."""
    spans = []
    for table in (gone, come):
        low, high = (table[column].to_numpy().astype("datetime64[ns]") for column in times)
        bounds = (
            np.where(np.isnat(low), _FIRST, low.view(np.int64)),
            np.where(np.isnat(high), _LAST, high.view(np.int64)),
        )
        spans.append(bounds)
    places = [table.groupby(asset, dropna=False).indices for table in (gone, come)]
    pairs: list[tuple[int, int]] = []
    for name in places[0].keys() & places[1].keys():
        mine, old = (np.asarray(one[name], dtype=np.int64) for one in (places[1], places[0]))
        mine = mine[np.argsort(spans[1][0][mine], kind="stable")]
        starts, ends = spans[1][0][mine], spans[1][1][mine]
        latest = np.maximum.accumulate(ends)
        free = np.full(len(mine), fill_value=True)
        for place in old[np.argsort(spans[0][0][old], kind="stable")].tolist():
            low, high = spans[0][0][place], spans[0][1][place]
            near = np.arange(latest.searchsorted(low), starts.searchsorted(high, side="right"))
            near = near[free[near] & (ends[near] >= low)]
            free[near] = False
            pairs += [(place, int(mine[one])) for one in near]
    found = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]
