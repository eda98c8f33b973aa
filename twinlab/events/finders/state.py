"""What is known of a finder: the spans in which its condition is true, and the ids of its events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from twinlab._files import write_atomically
from twinlab.events.algebra.spans import NEVER, Spans, merged
from twinlab.model.schema import EVENT_COLUMNS

__all__ = ["FinderState", "event_table", "events_of", "read_states", "write_states"]

_KEY = b"twinlab.finder"
_UNKNOWN = np.datetime64("NaT", "ns")


@dataclass(frozen=True, eq=False)
class FinderState:
    """What is known of a finder at a state of the history."""

    definition: str
    """Hash of the finder's condition, duration and gap."""
    history: dict[str, Any]
    """As `twinlab.history.changes.changed_windows.state_of` describes it."""
    stop: int
    """Up to which the condition was searched, ns since 1970."""
    assets: tuple[str, ...]
    spans: Spans
    """Where the condition is true, each up to `stop` at most; the key is the asset's number."""
    ids: dict[tuple[str, int], str] = field(default_factory=dict)
    """Asset and start -> id of the events whose id isn't made of these."""


def write_states(path: Path, states: Mapping[str, FinderState]) -> None:
    """Write the states of finders; the file is the old or the new one, whatever happens."""
    about = {
        name: {"definition": one.definition, "history": one.history, "stop": one.stop, "assets": list(one.assets), "spans": len(one.spans.key),
               "ids": [[asset, start, found] for (asset, start), found in one.ids.items()]}
        for name, one in states.items()
    }  # fmt: skip
    spans = [one.spans for one in states.values()]
    table = pa.table({name: np.concatenate([getattr(one, name) for one in spans]) for name in ("key", "start", "end")})
    described = table.replace_schema_metadata({_KEY: json.dumps(about).encode()})
    write_atomically(path, lambda draft: pq.write_table(described, draft, compression="zstd"))


def read_states(path: Path) -> dict[str, FinderState]:
    """Return what `write_states` wrote; nothing if there is no file, or it is damaged: then everything is searched again."""
    try:
        table = pq.read_table(path)
        about = json.loads((table.schema.metadata or {})[_KEY])
    except (OSError, pa.ArrowInvalid, KeyError, ValueError):
        return {}
    columns = [table[name].to_numpy() for name in ("key", "start", "end")]
    out, at = {}, 0
    for name, one in about.items():
        key, start, end = (part[at : at + one["spans"]] for part in columns)
        at += one["spans"]
        spans = Spans(key, start, end, max(1, len(one["assets"])))
        ids = {(str(asset), int(begin)): str(found) for asset, begin, found in one["ids"]}
        out[name] = FinderState(one["definition"], one["history"], int(one["stop"]), tuple(one["assets"]), spans, ids)
    return out


def events_of(state: FinderState, *, gap_ns: int, lasting_ns: int) -> Spans:
    """Return the events of a state: spans at most ``gap_ns`` apart are one; what isn't over at the stop ends at `NEVER`."""
    union, _ = merged(state.spans, gap_ns=gap_ns)
    union = union.take(union.end - union.start >= lasting_ns)
    return Spans(union.key, union.start, np.where(union.end >= state.stop, NEVER, union.end), union.keys)


def event_table(state: FinderState, events: Spans, name: str) -> pd.DataFrame:
    """Return events as an event table, sorted by asset and start.

    Parameters
    ----------
    state : FinderState
    events : Spans
        As `events_of` returns them.
    name : str
        Of the finder: the ``type`` of its events.
    """
    assets = np.array(list(state.assets), dtype=object)[events.key] if len(events.key) else np.empty(0, dtype=object)
    begun = events.start.view("datetime64[ns]")
    texts = np.datetime_as_string(begun, unit="s").astype(object)
    ids = name + "/" + assets + "/" + texts if len(assets) else assets
    for place, key in enumerate(zip(assets.tolist(), events.start.tolist(), strict=True)) if state.ids else ():
        ids[place] = state.ids.get(key, ids[place])
    given: dict[str, Any] = {
        "event_id": ids, "type": name, "asset": assets, "start": begun,
        "end": np.where(events.end == NEVER, _UNKNOWN, events.end.view("datetime64[ns]")),
    }  # fmt: skip
    table = pd.DataFrame(
        {
            column: pd.Series(given.get(column), index=range(len(assets)), dtype="str" if dtype == "string" else dtype)
            for column, dtype in EVENT_COLUMNS.items()
        }
    )
    return table.assign(duration=table["end"] - table["start"])
