"""A row for each asset of live sources: age of its last row, latency, gaps and clock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.model.basics import parse_duration

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel
    from twinlab.twin.live.freshness.arrivals import AssetArrivals, Key
    from twinlab.twin.live.status import LiveStatus

__all__ = ["COLUMNS", "freshness_table"]

COLUMNS = ("source", "state", "last_event", "last_arrived", "age", "event_p50", "event_p99", "gaps", "clock_offset")


def freshness_table(
    arrivals: Mapping[str, Mapping[Key, AssetArrivals]],
    status: LiveStatus,
    model: TwinModel,
    mappings: Mapping[str, SourceMapping],
    *,
    now_ns: int | None = None,
) -> pd.DataFrame:
    """Return the freshness of each asset that a live source has sent rows of.

    Parameters
    ----------
    arrivals : mapping
        Of each source, see `Arrivals.read`.
    status : LiveStatus
    model : TwinModel
    mappings : mapping of str to Mapping
    now_ns : int, optional
        The present, ns UTC.

    Returns
    -------
    DataFrame
        Index ``asset_type, asset``. ``source`` of the last row; ``state``: "live", "stale" (no row for longer than the ``gap`` of
        its signals, or else ``stale_after`` of the source), "rows missing" (a gap of its rows goes on), or "no connection" (the historian doesn't run, or the source or the asset's
        part of it isn't connected); ``last_event`` and ``last_arrived``, UTC; seconds of ``age`` since the last row arrived, and of
        ``event_p50`` and ``event_p99`` from the event until the row was durable, over the source's last hour, NaN without rows;
        number of ``gaps`` that aren't filled; ``clock_offset`` of the source's clock, seconds, NaN if unknown.
    """
    import pandas as pd  # noqa: PLC0415  (the historian needs none)

    now_ns = time.time_ns() if now_ns is None else now_ns
    newest: dict[Key, tuple[str, AssetArrivals]] = {}
    for source, assets in arrivals.items():
        for key, one in assets.items():
            if key not in newest or one.last_arrived > newest[key][1].last_arrived:
                newest[key] = source, one
    limits: dict[tuple[str, str], int] = {}
    rows = []
    for (asset_type, _), (source, one) in newest.items():
        if (asset_type, source) not in limits:
            limits[asset_type, source] = stale_after_ns(asset_type, source, model, mappings)
        p50, p99 = np.percentile(one.latencies, (50, 99)) if len(one.latencies) else (np.nan, np.nan)
        of_source = status.sources.get(source, {})
        state = _state(one, of_source, status, age_ns=now_ns - one.last_arrived, limit_ns=limits[asset_type, source])
        rows.append(
            (
                source, state, pd.Timestamp(one.last_event), pd.Timestamp(one.last_arrived), (now_ns - one.last_arrived) / 1e9,
                p50, p99, len(_gaps(one, of_source)), _offset(one, of_source),
            )
        )  # fmt: skip
    index = pd.MultiIndex.from_tuples(list(newest), names=["asset_type", "asset"])
    table = pd.DataFrame(rows, index=index, columns=list(COLUMNS))
    for name in ("last_event", "last_arrived"):
        table[name] = table[name].astype("datetime64[ns]")
    return table.astype(dict.fromkeys(("age", "event_p50", "event_p99", "clock_offset"), "float64")).sort_index()


def stale_after_ns(asset_type: str, source: str, model: TwinModel, mappings: Mapping[str, SourceMapping]) -> int:
    """Return the age at which the last row of an asset is stale, ns: the shortest ``gap`` that a signal of the type states, else
    the source's ``stale_after``.
    """
    signals = model.asset_types[asset_type].signals.values()
    gaps = [parse_duration(signal.gap) for signal in signals if signal.gap is not None]
    live = mappings[source].live
    return min(gaps) if gaps or live is None else live.stale_after_ns


def _state(one: AssetArrivals, source: Mapping[str, Any], status: LiveStatus, *, age_ns: int, limit_ns: int) -> str:
    gone = source.get("streams_offline", ())
    cut = (
        not status.running or source.get("state") not in ("connected", "ended") or any(_of(one, part) for part in gone)
    )
    if cut and source.get("state") != "ended":
        return "no connection"
    if any(gap["stop_ns"] is None and gap["start_ns"] is not None for gap in _gaps(one, source)):
        return "rows missing"
    return "stale" if age_ns > limit_ns or source.get("stale") else "live"


def _of(one: AssetArrivals, stream: str) -> bool:
    """Return whether a stream of the source has rows of an asset: its tags are those of the stream or below it."""
    return any(tag == stream or tag.startswith(f"{stream}/") for tag in one.tags)


def _gaps(one: AssetArrivals, source: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the gaps that aren't filled and name a tag of an asset, its stream, or the whole source."""
    return [
        gap
        for gap in source.get("gaps", ())
        if (one.tags & set(gap["tags"]) if gap["tags"] else not gap["stream"] or _of(one, gap["stream"]))
    ]


def _offset(one: AssetArrivals, source: Mapping[str, Any]) -> float:
    own = [offset for stream, offset in source.get("stream_clocks", {}).items() if _of(one, stream)]
    offset = max(own, key=abs) if own else source.get("clock_offset")
    return np.nan if offset is None else float(offset)
