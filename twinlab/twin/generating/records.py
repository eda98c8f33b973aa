"""Assets, links and events of a synthetic twin, as rows of its source's tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.simulate.synthetic.events import resampled_events
from twinlab.twin.generating.definition import is_personal, shown_properties

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.simulate.synthetic.days import DaySources

__all__ = ["asset_names", "asset_rows", "event_rows", "link_rows"]

Names = Mapping[str, Mapping[str, str]]


def asset_names(reader: TwinReader, *, pseudonyms: bool, rng: np.random.Generator) -> dict[str, dict[str, str]]:
    """Return the names in the synthetic twin, by asset type and id: the same, or shuffled numbers.

    Assets that are people have numbers in any case.
    """
    ids_of: dict[str, list[str]] = {
        kind: [str(one) for one in reader.assets(kind).index] for kind in reader.model.asset_types
    }
    for kind, spec in reader.model.asset_types.items():
        if spec.signals:
            ids_of[kind] += map(str, reader.history(kind, signals=[next(iter(spec.signals))])["asset"].to_numpy())
    for kind, event in reader.model.event_types.items():
        table = reader.events(kind)
        for column, of in {"asset": event.asset, **event.links}.items():
            if of is not None and column in table:
                ids_of[of] += map(str, table[column].dropna().unique())
    found = {}
    for kind, spec in reader.model.asset_types.items():
        ids = list(dict.fromkeys(ids_of[kind]))
        if pseudonyms or is_personal(spec):
            numbers = rng.permutation(len(ids)) + 1
            found[kind] = {
                one: f"{kind}_{number:0{len(str(len(ids)))}d}" for one, number in zip(ids, numbers, strict=True)
            }
        else:
            found[kind] = {one: one for one in ids}
    return found


def asset_rows(reader: TwinReader, kind: str, names: Names, *, pseudonyms: bool) -> pd.DataFrame:
    """Return the assets of a type with the properties that are no personal data; with pseudonyms, the name for people is the id."""
    spec, table = reader.model.asset_types[kind], reader.assets(kind)
    found = pd.DataFrame({"asset": [names[kind][str(one)] for one in table.index]}, dtype=object)
    for name in shown_properties(spec):
        found[name] = table[name].to_numpy() if name in table else None
    if (pseudonyms or is_personal(spec)) and spec.label in found:
        found[spec.label] = found["asset"]
    return found


def link_rows(reader: TwinReader, link: str, names: Names) -> pd.DataFrame:
    """Return the links of one type between assets that both have a name."""
    spec, table = reader.model.relationships[link], reader.relationships(link)
    found = table[["source", "target", "valid_from", "valid_until"]].copy()
    for column, kind in (("source", spec.source), ("target", spec.target)):
        found[column] = found[column].astype(str).map(names[kind])
    return found.dropna(subset=["source", "target"])


def event_rows(
    reader: TwinReader, kind: str, names: Names, days: DaySources, *, span: tuple[np.datetime64, np.datetime64], begin: np.datetime64,
    rng: np.random.Generator,
) -> Iterator[pd.DataFrame]:  # fmt: skip
    """Yield the events of a type on the synthetic days, in parts."""
    spec = reader.model.event_types[kind]
    table = reader.events(kind, start=span[0], stop=span[1])
    if table.empty:
        return
    shown = shown_properties(spec)
    minutes = [name for name in shown if spec.properties[name].unit == "min" and name in table]
    made = resampled_events(table, span[0], days, begin=begin, numbers=minutes, rng=rng)
    found = pd.DataFrame({"event_id": made["event_id"]}, dtype=object)
    for column, of in {"asset": spec.asset, **spec.links}.items():
        if of is not None and column in made:
            given = made[column]
            found[column] = given.astype(str).map(names[of]).where(given.notna())
    for column in ("start", "end", "planned_start", "planned_end", *shown):
        found[column] = made[column].to_numpy() if column in made else None
    for column in ("asset", *spec.links):
        if column not in found:
            found[column] = None
    if len(found):
        yield found
