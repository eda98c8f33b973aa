"""What is known of a finder: the spans in which its condition is true, and the ids of its events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import feather

from twinlab._files import write_atomically
from twinlab.events.algebra.spans import NEVER, Spans
from twinlab.events.finders.splicing import events_of
from twinlab.model.schema import EVENT_COLUMNS

if TYPE_CHECKING:
    from twinlab.model.finders.finder import Finder

__all__ = ["FinderState", "asset_names", "event_table", "made_ids", "read_states", "write_states"]

_KEY = b"twinlab.finders"
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
    """Where the condition is true, each up to `stop` at most; the key is the asset's number. Sorted by key and start."""
    ids: dict[tuple[str, int], str] = field(default_factory=dict)
    """Asset and start -> id of the events whose id isn't made of these."""


def write_states(path: Path, states: Mapping[str, FinderState]) -> None:
    """Write the states of finders; the file is the old or the new one, whatever happens."""
    # States that were updated together have the same history and assets.
    shared = {(id(one.history), one.assets): one.history for one in states.values()}
    numbers = {each: number for number, each in enumerate(shared)}
    about = {
        name: {"definition": one.definition, "shared": numbers[id(one.history), one.assets], "stop": one.stop, "spans": len(one.spans.key),
               "ids": [[asset for asset, _ in one.ids], [start for _, start in one.ids], list(one.ids.values())]}
        for name, one in states.items()
    }  # fmt: skip
    described = json.dumps(
        {"finders": about, "shared": [{"history": one, "assets": ids} for (_, ids), one in shared.items()]}
    ).encode()
    spans = [one.spans for one in states.values()]
    table = pa.table({name: np.concatenate([getattr(one, name) for one in spans]) for name in ("key", "start", "end")})
    # Written after each batch: compression would take ten times as long.
    table = table.replace_schema_metadata({_KEY: described})
    write_atomically(path, lambda draft: feather.write_feather(table, draft, compression="uncompressed"))


def read_states(path: Path) -> dict[str, FinderState]:
    """Return what `write_states` wrote; nothing if there is no file, or it is damaged: then everything is searched again."""
    try:
        table = feather.read_table(path)
        about = json.loads((table.schema.metadata or {})[_KEY])
    except (OSError, pa.ArrowInvalid, KeyError, ValueError):
        return {}
    columns = [table[name].to_numpy() for name in ("key", "start", "end")]
    shared = [(one["history"], tuple(one["assets"])) for one in about["shared"]]
    out, at = {}, 0
    for name, one in about["finders"].items():
        history, assets = shared[one["shared"]]
        key, start, end = (part[at : at + one["spans"]] for part in columns)
        at += one["spans"]
        spans = Spans(key, start, end, max(1, len(assets)))
        ids = {(str(asset), int(begin)): str(found) for asset, begin, found in zip(*one["ids"], strict=True)}
        out[name] = FinderState(one["definition"], history, int(one["stop"]), assets, spans, ids)
    return out


def made_ids(
    names: NDArray[np.object_] | str, assets: NDArray[np.object_], starts: NDArray[np.int64]
) -> NDArray[np.object_]:
    """Return the ids of events that are made of the finder's name, the asset and the start."""
    if not len(assets):
        return np.empty(0, dtype=object)
    texts = np.datetime_as_string(starts.view("datetime64[ns]"), unit="s").astype(object)
    return np.asarray(names + "/" + assets + "/" + texts, dtype=object)


def asset_names(names: Sequence[str], keys: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the name of each key's asset."""
    return np.array(list(names), dtype=object)[keys] if len(keys) else np.empty(0, dtype=object)


def event_table(state: FinderState, name: str, finder: Finder) -> pd.DataFrame:
    """Return the events of a state as an event table, sorted by asset and start."""
    gap, lasting, stop = (
        np.full(state.spans.keys, number) for number in (finder.gap_ns, finder.lasting_ns, state.stop)
    )
    events = events_of(state.spans, gap, lasting, stop)
    assets = asset_names(state.assets, events.key)
    ids = made_ids(name, assets, events.start)
    for place, key in enumerate(zip(assets.tolist(), events.start.tolist(), strict=True)) if state.ids else ():
        ids[place] = state.ids.get(key, ids[place])
    given: dict[str, Any] = {
        "event_id": ids, "type": name, "asset": assets, "start": events.start.view("datetime64[ns]"),
        "end": np.where(events.end == NEVER, _UNKNOWN, events.end.view("datetime64[ns]")),
    }  # fmt: skip
    table = pd.DataFrame(
        {
            column: pd.Series(given.get(column), index=range(len(assets)), dtype="str" if dtype == "string" else dtype)
            for column, dtype in EVENT_COLUMNS.items()
        }
    )
    return table.assign(duration=table["end"] - table["start"])
