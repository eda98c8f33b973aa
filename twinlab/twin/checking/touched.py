"""What a finding touches: the rules that read the signal, and the events of the asset in that time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from twinlab.model.rules import Rule

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.history import HistoryReader
    from twinlab.model.twinmodel import TwinModel
    from twinlab.quality.findings import Finding

__all__ = ["Touched", "rules_of_signal", "touched"]

#: ("rule" or "event", name, number of events or None).
Touched = tuple[str, str, "int | None"]


def rules_of_signal(model: TwinModel, asset_type: str, signal: str) -> list[str]:
    """Return the names of the rules that read a signal, in the model's order."""
    return [name for name, rule in model.rules.items() if rule.on == asset_type and _reads(rule, model, signal)]


def _reads(rule: Rule, model: TwinModel, signal: str) -> bool:
    if rule.when is not None:
        return signal in rule.signals(model)
    if rule.silent is not None:
        return True
    # Other kinds name their signal, if they have one, in an option of that name.
    return rule.options is not None and getattr(rule.options, "signal", None) == signal


def touched(reader: HistoryReader, found: Sequence[tuple[str, Finding]]) -> list[tuple[Touched, ...]]:
    """Return for each (asset type, finding) what it touches; each event table is read once."""
    model = reader.model
    out: list[list[Touched]] = [
        [("rule", name, None) for name in rules_of_signal(model, kind, one.signal)] if one.signal else []
        for kind, one in found
    ]
    for event_type, spec in model.event_types.items():
        columns = [column for column, kind in {"asset": spec.asset, **spec.links}.items() if kind]
        kinds = {column: ({"asset": spec.asset} | spec.links)[column] for column in columns}
        mine = [place for place, (kind, one) in enumerate(found) if one.asset and kind in kinds.values()]
        if not mine:
            continue
        start = min((found[place][1].since or np.datetime64(0, "ns") for place in mine), default=None)
        events = reader.events(event_type, start=start)
        begin, end = _times(events)
        for place in mine:
            kind, one = found[place]
            hit = np.zeros(len(events), dtype=np.bool_)
            for column, of in kinds.items():
                if of == kind and column in events:
                    hit |= (events[column] == one.asset).to_numpy(dtype=np.bool_, na_value=False)
            if one.since is not None:
                hit &= ~(end < one.since)
            if one.until is not None:
                hit &= ~(begin >= one.until)
            if hit.any():
                out[place].append(("event", event_type, int(hit.sum())))
    return [tuple(one) for one in out]


def _times(events: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return when events begin and end, by their plan where they didn't; NaT where nothing is known."""
    begin = events["start"].fillna(events["planned_start"])
    end = events["end"].fillna(events["planned_end"])
    return (
        begin.fillna(end).to_numpy().astype("datetime64[ns]"),
        end.fillna(begin).to_numpy().astype("datetime64[ns]"),
    )
