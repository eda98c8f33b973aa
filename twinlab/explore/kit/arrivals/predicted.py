"""Stored predictions of delays at an instant, as times: when events will end, and which will be late."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.exception_text import age_text
from twinlab.languages import current_language, tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from twinlab.explore.kit.session import Shared
    from twinlab.model.twinmodel import TwinModel

__all__ = ["FORGOTTEN", "STALE", "arrival_text", "arrivals_at", "arrivals_of", "issued_text", "probably_late"]

_LOG = logging.getLogger(__name__)
#: Predictions that were issued longer ago are shown as stale ...
STALE: Final = pd.Timedelta(hours=1)
#: ... and these no longer.
FORGOTTEN: Final = pd.Timedelta(hours=24)
#: Probability from which an event is probably late.
_PROBABLY: Final = 0.5
_COLUMNS: Final = (
    "name", "event_type", "event_id", "asset", "of", "issued", "planned", "low", "expected", "high", "late", "margin", "reason", "cant_tell",
)  # fmt: skip


def arrivals_at(shared: Shared, at: np.datetime64 | None) -> pd.DataFrame:
    """Return the newest stored predictions of delays that were known at an instant, of events that hadn't ended; cached.

    Nothing is computed: predictions are made by ``twin.delay(…, store=…)``.

    Returns
    -------
    DataFrame
        A row for each event: ``name`` of the predictions, ``event_type, event_id, asset``, its links, ``of`` ("end" or "start"), ``issued``; ``planned, low,
        expected, high`` as instants; ``late`` (probability), ``margin`` (delay from which it is late, in words), ``reason, cant_tell``.
    """
    when = shared.latest() if at is None else at
    if when is None:
        return pd.DataFrame(columns=list(_COLUMNS))
    minute = when.astype("datetime64[m]")
    return shared.cached(("arrivals", current_language(), int(minute.astype("int64"))), lambda: _read(shared, when))


def _read(shared: Shared, at: np.datetime64) -> pd.DataFrame:
    stored = getattr(shared.twin, "predictions", None)
    parts = []
    if stored is None:
        return pd.DataFrame(columns=list(_COLUMNS))
    for name in stored.names:
        try:
            data = stored.newest(name, at=at)
            if data is None or data.attrs.get("truth") != "delay" or "quantile" not in data.dims:
                continue
            parts.append(_open(shared, _table(name, data), at))
        except READING_ERRORS:
            # Other predictions are shown all the same; `twin.predictions.table()` says what is wrong with these.
            _LOG.warning("the predictions %r can't be read", name, exc_info=True)
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(_COLUMNS))


def _table(name: str, data: xr.Dataset) -> pd.DataFrame:
    of, values = str(data.attrs["of"]), data[str(data.attrs["target"])].values
    planned = data[f"planned_{of}"].values.astype("datetime64[ns]")
    minutes = np.round(np.where(np.isnan(values), np.nan, values))
    when = {
        key: planned + (np.nan_to_num(minutes[:, place]) * 60).astype("timedelta64[s]")
        for key, place in (("low", 0), ("expected", values.shape[1] // 2), ("high", -1))
    }
    known = ~np.isnan(values).any(axis=1)
    texts = np.array(list(data["cant_tell"].attrs["reasons"]), object)
    count = len(planned)
    links = [
        one
        for one in data.coords
        if data[one].dims == ("case",) and one not in (*_COLUMNS, "phase") and data[one].dtype == object
    ]
    return pd.DataFrame(
        {
            "name": name,
            "event_type": str(data.attrs["event_type"]),
            "event_id": data["event_id"].values,
            "asset": data["asset"].values,
            "of": of,
            "issued": data["issue_time"].values,
            "planned": planned,
            **{key: np.where(known, one, np.datetime64("NaT", "ns")) for key, one in when.items()},
            "late": data["late"].values if "late" in data.coords else np.full(count, np.nan),
            "margin": age_text(pd.Timedelta(str(data.attrs["late"]))),
            "reason": data["reason"].values if "reason" in data.coords else "",
            "cant_tell": texts[data["cant_tell"].values],
            **{str(one): data[one].values for one in links},
        }
    )


def _open(shared: Shared, table: pd.DataFrame, at: np.datetime64) -> pd.DataFrame:
    """Return the predictions that aren't too old, of events that hadn't ended (or begun) at the instant."""
    now = pd.Timestamp(at)
    table = table[now - table["issued"] <= FORGOTTEN]
    if table.empty:
        return table
    kind, of = str(table["event_type"].iloc[0]), str(table["of"].iloc[0])
    events = shared.reader.events(kind)
    over = events.loc[
        (events[of] <= now).to_numpy(bool) & events["event_id"].isin(table["event_id"]).to_numpy(bool), "event_id"
    ]
    return table[~table["event_id"].isin(over)].reset_index(drop=True)


def arrivals_of(table: pd.DataFrame, model: TwinModel, asset_type: str, asset: str) -> pd.DataFrame:
    """Return the rows in which an asset takes part, as its own asset or by a link, in order of planned time; one for each journey."""
    mine = np.zeros(len(table), bool)
    for kind in table["event_type"].unique():
        spec = model.event_types[str(kind)]
        for name, of in {"asset": spec.asset, **spec.links}.items():
            if of == asset_type and name in table:
                mine |= ((table[name] == asset) & (table["event_type"] == kind)).to_numpy(bool)
    return _journeys(table[mine]).sort_values(["planned", "event_id"], ignore_index=True)


def probably_late(table: pd.DataFrame) -> pd.DataFrame:
    """Return the journeys that are probably late, the longest expected delay first, with the number of their ``events``."""
    rows = _journeys(table[(table["late"] >= _PROBABLY).to_numpy(bool) & table["expected"].notna().to_numpy(bool)])
    order = (rows["planned"] - rows["expected"]).argsort(kind="stable")
    return rows.iloc[order.to_numpy()].reset_index(drop=True)


def _journeys(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row for all events with the same plan, prediction and links, such as parcels on one truck."""
    apart = ("event_id", "asset")
    same = [name for name in rows if name not in apart]
    grouped = rows.groupby(same, sort=False, dropna=False)
    first = rows.drop_duplicates(same)
    return first.assign(events=grouped["event_id"].transform("size").loc[first.index])


def arrival_text(row: Mapping[str, Any], model: TwinModel, *, at: np.datetime64) -> str:
    """Return when an event will end or begin: ``arrives 14:10–14:45, planned 14:00``; times of another day have their date."""
    moves = "destination" in model.event_types[str(row["event_type"])].links
    verb = {"end": tr("arrives") if moves else tr("ends"), "start": tr("leaves") if moves else tr("begins")}[
        str(row["of"])
    ]
    planned = clock(row["planned"], at)
    if row["cant_tell"] or pd.isna(row["low"]):
        return f"can't tell when it {verb}, planned {planned}: {row['cant_tell'] or 'no reason is stored'}"
    low, high = clock(row["low"], at), clock(row["high"], at)
    if high.rpartition(" ")[0] == low.rpartition(" ")[0]:
        # The date once.
        high = high.rpartition(" ")[2]
    return f"{verb} {low if low.endswith(high) else f'{low}–{high}'}, planned {planned}"


def clock(when: Any, at: np.datetime64) -> str:
    """Return an instant to the minute, without its date on the day of another one.

    >>> clock("2026-01-31T14:02", np.datetime64("2026-01-31")), clock("2026-02-01T14:02", np.datetime64("2026-01-31"))
    ('14:02', '02-01 14:02')
    """
    stamp = pd.Timestamp(when).round("min")
    return stamp.strftime("%H:%M" if stamp.date() == pd.Timestamp(at).date() else "%m-%d %H:%M")


def issued_text(row: Mapping[str, Any], *, at: np.datetime64) -> tuple[str, bool]:
    """Return when a prediction was issued, as text, and whether it is stale."""
    age = pd.Timestamp(at) - pd.Timestamp(row["issued"])
    ago = tr("just now") if age < pd.Timedelta(minutes=1) else tr("{age} ago", age=age_text(age))
    return tr("predicted {issued} UTC, {ago}", issued=clock(row["issued"], at), ago=ago), bool(age > STALE)
